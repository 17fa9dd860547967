"""The same template and services as the update tests use."""

from updates.conftest import folder, generated, pristine, template, workplace

__all__ = ["folder", "generated", "pristine", "template", "workplace"]
