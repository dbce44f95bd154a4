"""`simhand why`: says in words why the workflow would run something again."""
