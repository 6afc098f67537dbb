"""The workflow's detour by a teacher, for the tasks whose answers no table holds."""

from itdr.files.formats import read_parquet
from itdr.instructions.record import RECORD


def test_a_teacher_stands_between_build_and_split_where_a_task_needs_one(project):
    project.configure(
        pairs=["TUI/movielens-32m", "RP/movielens-32m"],
        columns=[],
        teacher={"kind": "rules"},
        simulated_world={"users": 60, "items": 60, "interactions_per_user": 20},
    )
    place = "results/instructions/{}/movielens-32m/parts/train.parquet"
    parts = [place.format(task) for task in ("TUI", "RP")]
    jobs = project.jobs(*parts)
    assert (jobs["build_examples"], jobs["annotate_examples"], jobs["split_examples"]) == (2, 1, 2)

    done = project.snakemake(parts[0])
    assert done.returncode == 0, done.stdout
    taught = read_parquet(project.folder / parts[0], RECORD).to_pylist()
    assert {record["teacher"] for record in taught} == {"rules/2"}
    assert all(record["output"].strip() for record in taught)
