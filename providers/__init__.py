"""Outside parties: model vendors, secret stores, telemetry."""
