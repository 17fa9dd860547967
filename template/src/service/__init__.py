"""The service: `chassis` is the template's, `product` is yours, `main` joins the two."""
