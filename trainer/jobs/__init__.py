"""Long work: kinds of jobs, their queue, and the process that does one."""
