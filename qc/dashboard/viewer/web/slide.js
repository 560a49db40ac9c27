// A slide for OpenSeadragon: the levels that the file has, nothing between them. OpenSeadragon's level 0 is the
// coarsest, the file's level 0 the finest.

function slideSource(osd, about, urlOf) {
  const sizes = [...about.levels].reverse();
  const finest = sizes.length - 1;
  const side = about.tile_px;
  const tall = about.height / about.width; // the slide is one unit wide
  const source = new osd.TileSource({
    width: about.width, height: about.height, tileSize: side, tileOverlap: 0, minLevel: 0, maxLevel: finest,
  });
  const clamp = (value, end) => Math.max(0, Math.min(value, end - 1));
  source.getLevelScale = (level) => (sizes[level] ? sizes[level].width / about.width : NaN);
  source.getNumTiles = (level) =>
    new osd.Point(Math.ceil(sizes[level].width / side), Math.ceil(sizes[level].height / side));
  source.getTileAtPoint = (level, point) => {
    const tiles = source.getNumTiles(level);
    const column = Math.floor((point.x * sizes[level].width) / side);
    const row = Math.floor(((point.y / tall) * sizes[level].height) / side);
    return new osd.Point(clamp(column, tiles.x), clamp(row, tiles.y));
  };
  source.getTileBounds = (level, column, row, inPixels) => {
    const { width, height } = sizes[level];
    const across = Math.min(side, width - column * side);
    const down = Math.min(side, height - row * side);
    if (inPixels) return new osd.Rect(0, 0, across, down);
    const x = (column * side) / width, y = ((row * side) / height) * tall;
    return new osd.Rect(x, y, across / width, (down / height) * tall);
  };
  source.getTileUrl = (level, column, row) => urlOf(finest - level, column, row);
  source.getTileHashKey = (level, column, row, url) => url; // a renewed token does not make a tile another one
  return source;
}

function scaleBar(umPerPx, widthMaxPx) {
  const most = umPerPx * widthMaxPx;
  const decade = 10 ** Math.floor(Math.log10(most));
  const um = [5, 2, 1].map((step) => step * decade).find((length) => length <= most);
  return { px: um / umPerPx, text: um >= 1000 ? `${um / 1000} mm` : `${um} µm` };
}

function areaText(mm2) {
  if (mm2 === 0) return "0 mm²";
  return mm2 >= 0.01 ? `${mm2.toFixed(2)} mm²` : `${Math.round(mm2 * 1e6).toLocaleString("en")} µm²`;
}

function inkOn(colour) { // black or white, whichever is read more easily on the colour
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff";
}
