"""Notes that a tenant keeps, and summaries of them: the example to copy, then to delete."""

from service.product.notes.contract import router

__all__ = ["router"]
