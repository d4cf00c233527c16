"""What people gave and what models answered, on disk. The only package that speaks SQL."""
