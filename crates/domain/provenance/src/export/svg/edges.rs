use super::{BOX_HEIGHT, BOX_WIDTH, INK, MARGIN, Picture};
use std::fmt::Write;

/// How far apart edges meet a box at most.
const PORT: f64 = 8.0;
/// Room for the arrow's head before the box.
const HEAD: f64 = 2.0;
/// Room for the frame around the root.
const FRAME: f64 = 6.0;

impl Picture {
    /// The edges of the root come last and darker, so that they can be told from the crowd.
    pub(super) fn draw_edges(&self, svg: &mut String, root: Option<usize>) {
        let ports = self.ports();
        let of_root = |edge: &(usize, usize)| root.is_some_and(|root| edge.0 == root || edge.1 == root);
        for (is_root, colour, width) in [(false, "#94a3b8", 1.3), (true, INK, 1.8)] {
            // Writing to a `String` cannot fail.
            let _ = writeln!(svg, "<g fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\">");
            for (n, edge) in self.edges.iter().enumerate() {
                if edge.0 != edge.1 && of_root(edge) == is_root {
                    let (path, dash) = self.path(n, ports[n], root);
                    let _ = writeln!(svg, "<path d=\"{path}\"{dash} marker-end=\"url(#lineage-arrow)\"/>");
                }
            }
            svg.push_str("</g>\n");
        }
    }

    /// For each edge, how far from the middle of their sides it leaves and meets its boxes: in the order in which
    /// the other ends stand, so that edges do not cross at the box.
    fn ports(&self) -> Vec<(f64, f64)> {
        let mut ports = vec![(0.0, 0.0); self.edges.len()];
        let mut leaving = vec![Vec::new(); self.layout.nodes.len()];
        let mut arriving = leaving.clone();
        for (n, &(from, to)) in self.edges.iter().enumerate() {
            let crossings = &self.layout.crossings[n];
            leaving[from].push((crossings.first().map_or(self.layout.nodes[to].1, |c| c.1), n));
            arriving[to].push((crossings.last().map_or(self.layout.nodes[from].1, |c| c.1), n));
        }
        for (side, ends) in leaving.iter_mut().map(|ends| (0, ends)).chain(arriving.iter_mut().map(|ends| (1, ends))) {
            ends.sort_by(|a, b| a.0.total_cmp(&b.0));
            let step = PORT.min((BOX_HEIGHT - 16.0) / ends.len() as f64);
            let middle = (ends.len() as f64 - 1.0) / 2.0;
            for (position, &(_, n)) in ends.iter().enumerate() {
                let offset = (position as f64 - middle) * step;
                if side == 0 { ports[n].0 = offset } else { ports[n].1 = offset }
            }
        }
        ports
    }

    /// Straight through the columns it crosses, in curves between them. One that closes a circle runs from right to
    /// left and is dashed.
    fn path(&self, n: usize, (leaves, meets): (f64, f64), root: Option<usize>) -> (String, &'static str) {
        let (from, to) = self.edges[n];
        let ((first, start), (last, end)) = (self.layout.nodes[from], self.layout.nodes[to]);
        let backwards = first > last;
        let (near, far) = if backwards { (BOX_WIDTH, 0.0) } else { (0.0, BOX_WIDTH) };
        let (mut x, mut y) = (self.left(first) + far, MARGIN + start + leaves);
        let mut path = format!("M{x:.1} {y:.1}");
        let frame = if root == Some(to) { FRAME } else { 0.0 };
        let head = if backwards { HEAD + frame } else { -HEAD - frame };
        let stops = self.layout.crossings[n].iter().map(|&(column, height)| (self.left(column) + near, height, true));
        for (to_x, height, goes_on) in stops.chain([(self.left(last) + near + head, end + meets, false)]) {
            let to_y = MARGIN + height;
            let middle = f64::midpoint(x, to_x);
            let _ = write!(path, "C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}");
            (x, y) = (to_x, to_y);
            if goes_on {
                x += far - near;
                let _ = write!(path, "H{x:.1}");
            }
        }
        (path, if backwards { " stroke-dasharray=\"5 4\"" } else { "" })
    }
}
