"""How a slide was scanned, as its header says. In: header properties. Out: scanner and time.

A header may also hold names, labels and free text; only the few keys below are ever looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_SCANNERS = (
    ("dicom.Manufacturer", "dicom.ManufacturerModelName"),
    ("philips.DICOM_MANUFACTURER", "philips.DICOM_MANUFACTURERS_MODEL_NAME"),
    ("tiff.Make", "tiff.Model"),
    ("openslide.vendor", "leica.device-model"),
    ("openslide.vendor", "ventana.ScannerModel"),
    ("openslide.vendor", "aperio.ScanScope ID"),
    ("openslide.vendor", "hamamatsu.Product"),
)
_SERIALS = ("dicom.DeviceSerialNumber", "philips.DICOM_DEVICE_SERIAL_NUMBER", "hamamatsu.NDP.S/N", "ventana.UnitNumber")
"""Tell two scanners of one model apart, which a trend needs."""
_TIMES = (
    "philips.DICOM_ACQUISITION_DATETIME",
    "dicom.AcquisitionDateTime",
    "leica.creation-date",
    "mirax.GENERAL.SLIDE_CREATIONDATETIME",
    "ventana.ScanDate",
    "tiff.DateTime",
)
_FORMATS = (
    *("%Y-%m-%dT%H:%M:%S", "%Y:%m:%d %H:%M:%S", "%Y%m%d%H%M%S", "%d/%m/%Y %H:%M:%S"),
    *("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"),
)
_LENGTH_MAX = 64


@dataclass(frozen=True)
class Scan:
    """Scanner and time of scanning, in the scanner's own time zone; empty when the header does not say."""

    scanner: str = ""
    scanned_at: str = ""


def scan_of(header: Mapping[str, str]) -> Scan:
    """What a header says about the scan.

    >>> scan_of({"tiff.Make": "Hamamatsu", "tiff.Model": "C9600-12", "tiff.DateTime": "2009:12:31 09:11:46"})
    Scan(scanner='Hamamatsu C9600-12', scanned_at='2009-12-31 09:11')
    """
    scanner = next((found for maker, model in _SCANNERS if (found := _scanner(header, maker, model))), "")
    written = [header[key] for key in _TIMES if header.get(key)]
    if header.get("aperio.Date"):
        written.append(f"{header['aperio.Date']} {header.get('aperio.Time', '00:00:00')}")
    return Scan(scanner, next((found for text in written if (found := _time(text))), ""))


def _scanner(header: Mapping[str, str], maker: str, model: str) -> str:
    """Maker, model and serial number; empty without a model, for a maker alone tells no two scanners apart."""
    if not header.get(model):
        return ""
    serial = next((header[key] for key in _SERIALS if header.get(key)), "")
    words = re.sub(r"\s+", " ", f"{header.get(maker, '')} {header[model]} {serial}").strip()
    return words[:_LENGTH_MAX].strip()


def _time(text: str) -> str:
    """A time as ISO 8601 to the minute; empty when it is none."""
    bare = re.sub(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?$", "", text.strip())
    for form in _FORMATS:
        try:
            return datetime.strptime(bare, form).strftime("%Y-%m-%d %H:%M")
        except ValueError:
            continue
    return ""
