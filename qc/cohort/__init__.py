"""Patients dealt into parts: by patient, stratified, near-duplicate slides together, and verified afterwards."""
