"""`python -m moviehouse.render.report`: print the page's own script in one piece, for a linter."""

from moviehouse.render.report.page import page_script

print(page_script())
