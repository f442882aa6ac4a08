//! The picture. Colours and fonts are attributes and not a style sheet, so that it looks the same where a content
//! security policy forbids inline styles; names with a prefix, so that it may be put into a page.

mod edges;
mod text;

use super::ExportContext;
use crate::layout::{Graph, Layout, layout};
use crate::{Lineage, LineageNode};
use artdag_kernel::{ContentHash, rfc3339_seconds};
use std::collections::HashMap;
use std::fmt::Write;
use text::{escaped, fitted};

const BOX_WIDTH: f64 = 212.0;
const BOX_HEIGHT: f64 = 46.0;
const BOX_ROOM: f64 = 60.0;
const EDGE_ROOM: f64 = 12.0;
const MARGIN: f64 = 28.0;
const FONT: &str = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";
const INK: &str = "#111827";
const QUIET: &str = "#4b5563";

/// A picture of the lineage: inputs on the left, what was made from them on the right.
pub fn to_svg(lineage: &Lineage, context: &ExportContext) -> String {
    let number: HashMap<ContentHash, usize> = lineage.nodes.iter().map(|node| node.content_hash).zip(0..).collect();
    let edges: Vec<(usize, usize)> =
        lineage.edges.iter().filter_map(|edge| Some((*number.get(&edge.from)?, *number.get(&edge.made)?))).collect();
    let picture = Picture::new(lineage.nodes.len(), edges);
    let root = number.get(&lineage.root).copied();
    let (width, height) = picture.size();
    let name = lineage.node(lineage.root).map_or_else(|| lineage.root.to_string(), name_of);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"lineage-title lineage-desc\" \
         width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FONT}\">\n\
         <title id=\"lineage-title\">Lineage of {}</title>\n<desc id=\"lineage-desc\">{}</desc>\n\
         <defs><marker id=\"lineage-arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.5 8 4 0 7.5Z\" \
         fill=\"{QUIET}\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"#f8fafc\"/>\n",
        escaped(&name),
        escaped(&description(lineage, context)),
    );
    picture.draw_edges(&mut svg, root);
    for (n, node) in lineage.nodes.iter().enumerate() {
        draw_node(&mut svg, node, picture.corner(n), root == Some(n), context);
    }
    svg + "</svg>\n"
}

/// What is drawn where.
struct Picture {
    edges: Vec<(usize, usize)>,
    layout: Layout,
    /// Between two columns of boxes.
    gap: f64,
}

impl Picture {
    fn new(nodes: usize, edges: Vec<(usize, usize)>) -> Self {
        let layout = layout(&Graph { nodes, edges: &edges, node_height: BOX_ROOM, edge_height: EDGE_ROOM });
        // Steep curves need room: the taller, the wider.
        let gap = (layout.height / 16.0).clamp(72.0, 190.0);
        Self { edges, layout, gap }
    }

    fn size(&self) -> (f64, f64) {
        let columns = self.layout.columns.max(1) as f64;
        (2.0 * MARGIN + columns * (BOX_WIDTH + self.gap) - self.gap, 2.0 * MARGIN + self.layout.height.max(BOX_ROOM))
    }

    /// The left end of a column.
    fn left(&self, column: usize) -> f64 {
        MARGIN + column as f64 * (BOX_WIDTH + self.gap)
    }

    /// The upper left corner of a node's box.
    fn corner(&self, node: usize) -> (f64, f64) {
        let (column, height) = self.layout.nodes[node];
        (self.left(column), MARGIN + height - BOX_HEIGHT / 2.0)
    }
}

fn description(lineage: &Lineage, context: &ExportContext) -> String {
    let known = lineage.nodes.iter().filter(|node| node.asset.is_some()).count();
    let unknown = lineage.nodes.len() - known;
    let cut = if lineage.is_complete { "" } else { " Only what is nearest is shown; there is more." };
    format!(
        "{known} registered assets and {unknown} contents that nobody registered here, from inputs on the left to \
         what was made from them on the right, with {} arrows. Drawn {}.{cut}",
        lineage.edges.len(),
        rfc3339_seconds(context.exported_at()),
    )
}

fn draw_node(svg: &mut String, node: &LineageNode, (x, y): (f64, f64), is_root: bool, context: &ExportContext) {
    let link = escaped(&context.object(&node.content_hash));
    // Writing to a `String` cannot fail.
    let _ = write!(svg, "<a href=\"{link}\"><g transform=\"translate({x:.1} {y:.1})\"><title>{}</title>", title(node));
    if is_root {
        let (width, height) = (BOX_WIDTH + 10.0, BOX_HEIGHT + 10.0);
        let _ = write!(
            svg,
            "<rect x=\"-5\" y=\"-5\" width=\"{width}\" height=\"{height}\" rx=\"12\" fill=\"#fde68a\" stroke=\"{INK}\" stroke-width=\"2\"/>"
        );
    }
    let colour = node.asset.as_ref().map_or(QUIET, |asset| colour_of(&asset.asset_type));
    let (fill, dash) = if node.asset.is_some() { ("#ffffff", "") } else { ("#f1f5f9", " stroke-dasharray=\"5 4\"") };
    let _ = write!(
        svg,
        "<rect width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"8\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/>"
    );
    match &node.asset {
        Some(asset) => {
            let _ = write!(
                svg,
                "<path d=\"M0 8A8 8 0 0 1 8 0V{BOX_HEIGHT}A8 8 0 0 1 0 {}Z\" fill=\"{colour}\"/>",
                BOX_HEIGHT - 8.0
            );
            let name = escaped(&fitted(&asset.name, 13.0, BOX_WIDTH - 32.0));
            let kind = escaped(&fitted(&asset.asset_type, 11.0, 80.0));
            let owner = escaped(&fitted(&format!("@{}", asset.owner), 11.0, 104.0));
            let _ = write!(
                svg,
                "<text x=\"17\" y=\"20\" font-size=\"13\" font-weight=\"600\" fill=\"{INK}\">{name}</text>\
                 <text x=\"17\" y=\"36\" font-size=\"11\" fill=\"{colour}\">{kind}</text>\
                 <text x=\"{}\" y=\"36\" font-size=\"11\" text-anchor=\"end\" fill=\"{QUIET}\">{owner}</text>",
                BOX_WIDTH - 10.0
            );
        }
        None => {
            let hash = super::short_hash(&node.content_hash);
            let _ = write!(
                svg,
                "<text x=\"17\" y=\"20\" font-size=\"12\" font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\" \
                 fill=\"{QUIET}\">{hash}</text><text x=\"17\" y=\"36\" font-size=\"11\" font-style=\"italic\" \
                 fill=\"{QUIET}\">not registered here</text>"
            );
        }
    }
    svg.push_str("</g></a>\n");
}

/// Everything that a box may have to leave out.
fn title(node: &LineageNode) -> String {
    let mut title = name_of(node);
    if let Some(asset) = &node.asset {
        title += &format!(" ({}) of @{}", asset.asset_type, asset.owner);
        if let Some(recipe) = &asset.recipe {
            title += &format!(", made by {recipe}");
        }
        title += &format!(", {}", node.content_hash);
    }
    escaped(&title)
}

fn name_of(node: &LineageNode) -> String {
    node.asset.as_ref().map_or_else(|| node.content_hash.to_string(), |asset| asset.name.clone())
}

/// Each is readable as text on white: a contrast of 4.5 to 1 and more.
fn colour_of(asset_type: &str) -> &'static str {
    match asset_type {
        "image" => "#1d4ed8",
        "video" => "#7e22ce",
        "audio" => "#0f766e",
        "effect" => "#b45309",
        "infrastructure" => "#be123c",
        _ => "#374151",
    }
}
