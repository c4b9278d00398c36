"""The git checkout that follows its remote: the one place that starts git, and every reason to leave it alone."""
