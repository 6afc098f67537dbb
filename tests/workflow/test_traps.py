"""What an ordinary command could do beside what was meant, refused or told in a line."""


def test_an_unknown_profile_and_the_demos_without_its_configuration_are_refused(project):
    done = project.snakemake("--workflow-profile", "demoo", "--dry-run")
    assert done.returncode == 1
    assert "there is no such profile. Did you mean 'demo'?" in done.stdout
    project.configure()
    done = project.snakemake("--workflow-profile", "demo", "--dry-run")
    assert done.returncode == 1
    assert "Name all: --configfile config/demo.yaml mine.yaml" in done.stdout.replace(
        f"{project.folder}/", ""
    )


def test_the_papers_downloads_do_not_begin_unasked(project):
    done = project.snakemake(
        "results/raw/mind/manifest.json", "results/models/glm-4-9b/fetched.json"
    )
    assert done.returncode == 1
    assert "this would download about" in done.stdout and "Traceback" not in done.stdout
    assert "--config most_download_gb=" in done.stdout
    assert not (project.folder / "results/logs").exists()


def test_a_plain_run_shows_the_log_of_a_failed_job(project):
    (project.folder / "empty").mkdir()
    project.configure(raw_folders={"movielens-32m": "empty"})
    done = project.run("results/raw/movielens-32m/manifest.json")
    assert done.returncode == 1
    assert "3 needed file(s) of movielens-32m are not there" in done.stdout


def test_the_dry_run_of_everything_can_be_read(project):
    done = project.run("--dry-run")
    assert done.returncode == 0
    jobs, _, reasons = done.stdout.partition("\nReasons:")
    longest = max(jobs.splitlines(), key=len)
    assert len(longest) < 340, longest
    assert "rule make_table: make the table main; log: results/logs/report/main.log" in jobs
    assert "output files have to be generated" in reasons
