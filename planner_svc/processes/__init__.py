"""Compiles in processes of their own: the pool (pool.py), one process (child.py), the jobs for it (job.py) and what is
done for one (carrying_out.py)."""
