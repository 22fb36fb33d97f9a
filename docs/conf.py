"""How the site is built: the Markdown files of the project where they lie, so that their links work on GitHub too."""

project = "Viadoma"
author = "The Viadoma authors"
project_copyright = author

root_doc = "docs/index"
include_patterns = ["docs/*.md", "benchmarks/*.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "data"]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
default_role = "code"  # docstrings put names between single backticks
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = project
html_copy_source = False
html_additional_pages = {"index": "start.html"}
templates_path = ["."]
