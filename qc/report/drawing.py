"""What is drawn on pictures of a report: scale bars and numbers; and a picture as a URI."""

import base64
import io

from PIL import Image, ImageDraw, ImageFont

from qc.figures.scale_bar import ScaleBar

_QUALITY = 80
_INK = (23, 33, 43)


def data_uri(image: Image.Image) -> str:
    """An image as JPEG inside a URI."""
    held = io.BytesIO()
    image.convert("RGB").save(held, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(held.getvalue()).decode()


def draw_bar(picture: Image.Image, bar: ScaleBar) -> None:
    """A scale bar on a light ground, bottom left."""
    unit = max(picture.width, 300) / 100
    draw, font = ImageDraw.Draw(picture, "RGBA"), ImageFont.load_default(round(max(12.0, 2.8 * unit)))
    length, thick, pad = round(bar.length_px), max(2, round(0.6 * unit)), round(max(5.0, 1.2 * unit))
    text_height = round(max(12.0, 2.8 * unit)) + 2
    left, bottom = pad, picture.height - pad
    draw.rectangle(
        (left, bottom - text_height - thick - 2 * pad, left + length + 2 * pad, bottom), (255, 255, 255, 220)
    )
    bar_top = bottom - pad - thick
    draw.rectangle((left + pad, bar_top, left + pad + length, bar_top + thick - 1), _INK)
    draw.text((left + pad + length / 2, bar_top - 3), bar.label, _INK, font, anchor="ms")


def draw_number(picture: Image.Image, number: int, x_share: float, y_share: float) -> None:
    """A number in a white disc at a place, given as shares (0-1) from the left and the top."""
    x, y, radius = x_share * picture.width, y_share * picture.height, max(9.0, picture.width / 45)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), "white", _INK, max(1, round(radius / 8)))
    draw.text((x, y), str(number), _INK, ImageFont.load_default(round(1.35 * radius)), anchor="mm")
