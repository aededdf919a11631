"""A build by the workers of a Dask cluster (extra ``[dask]``)."""
