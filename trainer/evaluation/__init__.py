"""What models answer on a split, and how good that is: rows, answers, figures, reports. Knows no
screens; the job that does it is in trainer/jobs.
"""
