//! Places the nodes of a directed graph in columns, so that edges run from left to right: layers by longest path,
//! places in them by barycentres, heights by least squares.
//!
//! Ours, because anybody may ask for a picture: it takes time in proportion to the graph (the passes are counted and
//! the helper points bounded), gives the same picture every time, draws long edges around boxes, and takes circles.

mod heights;
mod layers;
mod order;

use layers::Layers;

/// How many points may lie on the ways of all long edges together.
const MAX_POINTS: usize = 10_000;

/// What a picture is made of: which edges there are, and how much room everything needs.
pub(crate) struct Graph<'a> {
    /// How many nodes; edges name them by number.
    pub(crate) nodes: usize,
    /// From left to right.
    pub(crate) edges: &'a [(usize, usize)],
    /// Height of a node with the space that belongs to it.
    pub(crate) node_height: f64,
    /// Height that an edge needs where it passes between nodes.
    pub(crate) edge_height: f64,
}

/// Where everything goes.
pub(crate) struct Layout {
    /// Column and middle height of each node.
    pub(crate) nodes: Vec<(usize, f64)>,
    /// For each edge, where it crosses the columns between its ends, from its beginning to its end.
    pub(crate) crossings: Vec<Vec<(usize, f64)>>,
    /// How many columns there are.
    pub(crate) columns: usize,
    /// Every height is between zero and this.
    pub(crate) height: f64,
}

/// One place in a column: a node, or a point on the way of an edge that is longer than one column.
struct Place {
    column: usize,
    height: f64,
    /// How much of the column it takes.
    room: f64,
    is_node: bool,
    /// Its neighbours in the columns beside it.
    before: Vec<usize>,
    after: Vec<usize>,
}

/// Places the graph. Edges from a node to itself, and to nodes that do not exist, have no crossings.
pub(crate) fn layout(graph: &Graph<'_>) -> Layout {
    let layers = Layers::new(graph.nodes, graph.edges);
    let (mut places, chains) = places(graph, &layers);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); layers.count];
    for (n, place) in places.iter().enumerate() {
        columns[place.column].push(n);
    }
    order::reduce_crossings(&places, &mut columns);
    heights::assign(&mut places, &columns);

    let edge_of = |sign: f64| places.iter().map(move |place| place.height + sign * place.room / 2.0);
    let top = edge_of(-1.0).reduce(f64::min).unwrap_or(0.0);
    let bottom = edge_of(1.0).reduce(f64::max).unwrap_or(0.0);
    let spot = |n: &usize| (places[*n].column, places[*n].height - top);
    Layout {
        nodes: (0..graph.nodes).map(|n| spot(&n)).collect(),
        crossings: chains.iter().map(|chain| chain.iter().map(spot).collect()).collect(),
        columns: layers.count,
        height: bottom - top,
    }
}

/// Nodes keep their numbers; behind them stand the points of long edges. The shortest edges get theirs first, and
/// what the bound leaves without runs straight.
fn places(graph: &Graph<'_>, layers: &Layers) -> (Vec<Place>, Vec<Vec<usize>>) {
    let place =
        |column, room, is_node| Place { column, height: 0.0, room, is_node, before: Vec::new(), after: Vec::new() };
    let node = |n: usize| place(layers.column[n], graph.node_height, true);
    let mut places: Vec<Place> = (0..graph.nodes).map(node).collect();
    let mut chains = vec![Vec::new(); graph.edges.len()];
    let mut routed: Vec<(usize, usize, usize)> =
        (0..graph.edges.len()).filter_map(|n| layers.ends(graph.edges, n)).collect();
    routed.sort_by_key(|&(edge, from, to)| (layers.column[to] - layers.column[from], edge));
    let mut left = MAX_POINTS;
    for (edge, from, to) in routed {
        let between = layers.column[from] + 1..layers.column[to];
        if between.len() > left {
            continue;
        }
        left -= between.len();
        let mut last = from;
        for column in between {
            let point = places.len();
            places.push(place(column, graph.edge_height, false));
            join(&mut places, last, point);
            chains[edge].push(point);
            last = point;
        }
        join(&mut places, last, to);
        if layers.reversed[edge] {
            chains[edge].reverse();
        }
    }
    (places, chains)
}

fn join(places: &mut [Place], before: usize, after: usize) {
    places[before].after.push(after);
    places[after].before.push(before);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(nodes: usize, edges: &[(usize, usize)]) -> Layout {
        layout(&Graph { nodes, edges, node_height: 10.0, edge_height: 2.0 })
    }

    #[test]
    fn edges_run_to_the_right_and_long_ones_cross_the_columns_between() {
        let layout = laid_out(4, &[(0, 1), (1, 2), (0, 2), (3, 2)]);
        let columns: Vec<_> = layout.nodes.iter().map(|&(column, _)| column).collect();
        assert_eq!(columns, [0, 1, 2, 1], "what has no inputs stands next to what uses it");
        assert_eq!(layout.crossings[2].len(), 1);
        assert_eq!(layout.crossings[2][0].0, 1);
        assert!(layout.crossings[0].is_empty());
    }

    #[test]
    fn a_circle_is_cut_once_and_drawn_backwards_there() {
        let layout = laid_out(3, &[(0, 1), (1, 2), (2, 0)]);
        let columns: Vec<_> = layout.nodes.iter().map(|&(column, _)| column).collect();
        assert_eq!(columns, [0, 1, 2]);
        assert_eq!(layout.crossings[2].len(), 1, "around the node between");
    }

    #[test]
    fn nothing_overlaps_in_a_column() {
        let edges: Vec<_> =
            (0..60).map(|n| (n * 7 % 40, 40 + n * 11 % 30)).chain((0..30).map(|n| (n, n + 70))).collect();
        let layout = laid_out(100, &edges);
        let mut spots = layout.nodes.clone();
        spots.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for pair in spots.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            assert!(pair[1].1 - pair[0].1 > 9.99, "{pair:?}");
        }
        assert!(spots.iter().all(|&(column, at)| column < layout.columns && at > 4.99 && at < layout.height - 4.99));
    }

    #[test]
    fn odd_graphs_are_placed() {
        assert_eq!(laid_out(0, &[]).columns, 0);
        assert_eq!(laid_out(1, &[(0, 0), (0, 7)]).nodes, [(0, 5.0)]);
        assert_eq!(laid_out(2, &[(0, 1), (1, 0), (0, 1)]).columns, 2);
    }

    #[test]
    fn a_long_chain_with_long_edges_is_placed_in_bounded_room() {
        let edges: Vec<_> = (1..3000).flat_map(|n| [(n - 1, n), (n % 7, n)]).collect();
        let layout = laid_out(3000, &edges);
        assert_eq!(layout.columns, 3000);
        assert!(layout.crossings.iter().map(Vec::len).sum::<usize>() <= MAX_POINTS);
    }
}
