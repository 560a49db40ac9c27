"""Networks: sampling, augmentation and whatever else needs torch. Nothing that assesses imports this."""

import os

# On import albumentations would ask the internet for a newer version; hospitals are offline.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
