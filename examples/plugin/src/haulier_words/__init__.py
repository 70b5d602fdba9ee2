"""Words: a family and a dialect for Haulier, as a third party would write them."""
