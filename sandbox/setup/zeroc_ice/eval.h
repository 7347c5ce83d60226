/* Empty on purpose: zeroc-ice 3.6.5 includes <eval.h>, which CPython 3.11 no longer ships and whose content it does not need. */
