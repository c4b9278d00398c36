"""Starting tasks and ending them: the runner is the only code that starts one."""
