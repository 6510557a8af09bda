"""The checkout → the wheel: the packages, and the recipes that lie at the top of the checkout.

The repository, a user's project and the wheel have one shape; in the wheel it is `socml/_starter/`.
"""

from setuptools import find_packages, setup

STARTER = ("app", "datasets", "features", "models", "experiments", "notebooks")

app_packages = [f"socml._starter.{name}" for name in ("app", *(f"app.{p}" for p in find_packages("app")))]
setup(
    packages=[
        *find_packages(include=["socml", "socml.*"]),
        *app_packages,
        *(f"socml._starter.{n}" for n in STARTER[1:]),
    ],
    package_dir={"socml": "socml", **{f"socml._starter.{name}": name for name in STARTER}},
    package_data={
        "": [
            "*.toml",
            "*.sql",
            "*.ipynb",
            "*.ini",
            "*.pyi",
            "*.mako",
            "*.md",
            "*.js",
            "*.css",
            "*.html",
            "*.txt",
            "py.typed",
        ],
        "socml.project": ["languages/*.toml", "templates/*.txt"],
        "socml._starter.app": ["**/*", ".streamlit/*"],
    },
)
