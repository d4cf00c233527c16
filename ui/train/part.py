"""What the desks of the Train tab share: which jobs are theirs. Knows no gradio."""

from __future__ import annotations

from db.store import Job
from ui.desk import Bad, Reply, number_of
from ui.jobs_desk import JobsDesk
from ui.train.kinds import KINDS


class Desk(JobsDesk):
    """A desk over training jobs."""

    def _find(self, asked: Reply) -> Job:
        """The training run that is meant."""
        job = self._jobs.get(number_of(asked, "id"))
        if job.kind not in KINDS:
            raise Bad("unknown_value")
        return job
