/// Which column each node stands in.
pub(super) struct Layers {
    pub(super) column: Vec<usize>,
    /// How many columns there are.
    pub(super) count: usize,
    /// Which edges run against the columns, since they close a circle.
    pub(super) reversed: Vec<bool>,
}

impl Layers {
    pub(super) fn new(nodes: usize, edges: &[(usize, usize)]) -> Self {
        let mut leaving = vec![Vec::new(); nodes];
        for (n, &(from, to)) in edges.iter().enumerate().filter(|(_, edge)| is_drawn(nodes, **edge)) {
            leaving[from].push((n, to));
        }
        let (finished, reversed) = walk(&leaving, edges.len());
        let mut layers = Self { column: vec![0; nodes], count: 0, reversed };
        let mut after = vec![Vec::new(); nodes];
        let mut has_before = vec![false; nodes];
        for (_, from, to) in (0..edges.len()).filter_map(|n| layers.ends(edges, n)) {
            after[from].push(to);
            has_before[to] = true;
        }
        // The last to finish comes first: every edge leads onwards, now that those that close circles are turned.
        for &from in finished.iter().rev() {
            for &to in &after[from] {
                layers.column[to] = layers.column[to].max(layers.column[from] + 1);
            }
        }
        for node in (0..nodes).filter(|&node| !has_before[node]) {
            if let Some(first) = after[node].iter().map(|&to| layers.column[to]).min() {
                layers.column[node] = first - 1;
            }
        }
        layers.count = layers.column.iter().max().map_or(0, |last| last + 1);
        layers
    }

    /// The edge's number and its ends from left to right.
    pub(super) fn ends(&self, edges: &[(usize, usize)], n: usize) -> Option<(usize, usize, usize)> {
        let (from, to) = edges[n];
        let drawn = is_drawn(self.column.len(), edges[n]);
        drawn.then_some(if self.reversed[n] { (n, to, from) } else { (n, from, to) })
    }
}

fn is_drawn(nodes: usize, (from, to): (usize, usize)) -> bool {
    from != to && from < nodes && to < nodes
}

/// Goes through the graph in depth without recursion: in which order nodes are left for good, and which edges lead
/// back to a node that is still being visited.
fn walk(leaving: &[Vec<(usize, usize)>], edges: usize) -> (Vec<usize>, Vec<bool>) {
    let (mut finished, mut reversed) = (Vec::with_capacity(leaving.len()), vec![false; edges]);
    let (mut seen, mut open) = (vec![false; leaving.len()], vec![false; leaving.len()]);
    for start in 0..leaving.len() {
        if seen[start] {
            continue;
        }
        (seen[start], open[start]) = (true, true);
        let mut path = vec![(start, leaving[start].iter())];
        while let Some((node, ways)) = path.last_mut() {
            match ways.next() {
                Some(&(edge, to)) if open[to] => reversed[edge] = true,
                Some(&(_, to)) if seen[to] => {}
                Some(&(_, to)) => {
                    (seen[to], open[to]) = (true, true);
                    path.push((to, leaving[to].iter()));
                }
                None => {
                    open[*node] = false;
                    finished.push(*node);
                    path.pop();
                }
            }
        }
    }
    (finished, reversed)
}
