"""itdr annotate: let a teacher write the answers that no table holds."""

import argparse
import logging

from itdr.cli.options import add_config_folders, input_path, output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    from itdr.settings.flags import add_flags
    from itdr.settings.teacher import TeacherSettings

    parser.add_argument(
        "--examples", type=input_path, required=True, help="Parquet file of 'itdr build'"
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "--out", type=output_file, help="Parquet file for the examples with answers"
    )
    wanted.add_argument(
        "--estimate",
        action="store_true",
        help="tell what the answers would cost, and ask for none (kind: endpoint)",
    )
    parser.add_argument(
        "--tables", type=input_path, metavar="DIR", help="folder of 'itdr normalise' (kind: rules)"
    )
    add_config_folders(parser)
    add_flags(parser, TeacherSettings)


def run(args: argparse.Namespace) -> None:
    """Ask the teacher, or tell what that would cost."""
    from itdr.demo.rules_teacher import RuleTeacher
    from itdr.errors import SettingsError
    from itdr.settings.flags import from_flags
    from itdr.settings.teacher import TeacherSettings
    from itdr.teacher.annotate import Teacher, annotate, read_drafts
    from itdr.teacher.endpoint import EndpointTeacher

    settings = from_flags(args, TeacherSettings)
    if args.estimate:
        EndpointTeacher(settings).tell_costs(read_drafts(args.examples)[1])
        return
    teacher: Teacher
    if settings.kind == "endpoint":
        teacher = EndpointTeacher(settings)
    elif args.tables is None:
        raise SettingsError("--kind rules needs --tables.")
    else:
        teacher = RuleTeacher(args.tables, args.config_folders)
    count = annotate(args.examples, args.out, teacher, drop_withheld=settings.withheld == "drop")
    logging.getLogger("itdr").info(
        "%s: %s examples, answers by %s", args.out, f"{count:,}", teacher.name
    )
