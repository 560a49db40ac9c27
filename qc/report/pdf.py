"""An HTML report in, a PDF out, with tables attached. Needs the extra `pdf` and the system's Pango."""

import hashlib
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from PIL import ImageFile

from qc.errors import QCError
from qc.files import replacing


def write_pdf(html: str, path: Path, as_of: datetime | None = None, attached: Mapping[str, str] | None = None) -> None:
    """Write a report as PDF; the same report gives the same bytes.

    Args:
        html: The report.
        path: PDF file to write.
        as_of: Date that the file states; none by default.
        attached: Text files to attach, by name.

    Raises:
        QCError: If WeasyPrint or Pango is not there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import weasyprint
            from weasyprint.urls import URLFetcher
        except (ImportError, OSError) as error:
            raise QCError(
                f"PDF reports need WeasyPrint and the system library Pango ({error.__class__.__name__})",
                "uv sync --extra pdf and apt-get install libpango-1.0-0 libpangoft2-1.0-0, or use --format html",
            ) from error
        ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint's import turns it on, and half a slide would be grey
        dated = (as_of or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC)
        files = [
            weasyprint.Attachment(string=text, name=name, description=name, created=dated, modified=dated)
            for name, text in (attached or {}).items()
        ]
        stated = f'<meta name="dcterms.created" content="{dated:%Y-%m-%dT%H:%M:%SZ}">' if as_of else ""
        only_data = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)  # nothing beyond the report itself
        document = weasyprint.HTML(string=html.replace("<title>", f"{stated}<title>", 1), url_fetcher=only_data)
        with replacing(path) as partial:
            document.write_pdf(
                partial,
                attachments=files,
                pdf_identifier=hashlib.sha256(html.encode()).digest()[:16],
                custom_metadata=False,
                full_fonts=False,
                hinting=False,
            )
