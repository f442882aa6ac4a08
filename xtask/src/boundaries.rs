//! `cargo xtask boundaries`

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// Check that the workspace's packages depend on each other only as the architecture allows
///
/// Fails when a package uses another of the workspace that it may not, when a package is unknown to the table in
/// xtask/src/boundaries.rs, or when a domain crate reaches a driver, a server or a runtime by whatever path.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// A package and the packages of the workspace that it may use, in its tests and build script too.
struct Rule {
    package: &'static str,
    may_use: &'static [&'static str],
    /// Pure: neither I/O nor a runtime, not even through others.
    domain: bool,
}

/// The architecture. A new package gets its row here.
const RULES: &[Rule] = &[
    // For tests alone.
    outer("artdag-testing", &[]),
    domain("artdag-kernel", &[]),
    domain("artdag-provenance", &["artdag-kernel", "artdag-testing"]),
    domain("artdag-assets", &["artdag-kernel", "artdag-provenance"]),
    domain("artdag-federation", &["artdag-kernel", "artdag-assets", "artdag-provenance"]),
    domain("artdag-auth", &["artdag-kernel"]),
    domain("artdag-anchoring", &["artdag-kernel"]),
    outer(
        "artdag-registry",
        &[
            "artdag-kernel",
            "artdag-assets",
            "artdag-provenance",
            "artdag-federation",
            "artdag-auth",
            "artdag-anchoring",
        ],
    ),
    outer(
        "artdag-database",
        &[
            "artdag-registry",
            "artdag-kernel",
            "artdag-assets",
            "artdag-provenance",
            "artdag-federation",
            "artdag-auth",
            "artdag-anchoring",
        ],
    ),
    outer(
        "artdag-signing",
        &[
            "artdag-registry",
            "artdag-kernel",
            "artdag-assets",
            "artdag-provenance",
            "artdag-federation",
            "artdag-auth",
            "artdag-testing",
        ],
    ),
    outer(
        "artdag-http",
        &["artdag-kernel", "artdag-assets", "artdag-provenance", "artdag-federation", "artdag-anchoring"],
    ),
    outer("artdag-opentimestamps", &["artdag-http", "artdag-kernel", "artdag-anchoring", "artdag-testing"]),
    outer(
        "artdag-app",
        &[
            "artdag-database",
            "artdag-http",
            "artdag-signing",
            "artdag-registry",
            "artdag-kernel",
            "artdag-assets",
            "artdag-provenance",
            "artdag-federation",
            "artdag-auth",
            "artdag-anchoring",
            "artdag-opentimestamps",
            "artdag-testing",
        ],
    ),
    outer("xtask", &[]),
];

/// What no domain crate may reach. A name that ends in `*` stands for all that begin so.
const FORBIDDEN: &[&str] = &[
    "diesel",
    "diesel-async",
    "actix-*",
    "tokio",
    "hyper",
    "object_store",
    "ring",
    "reqwest",
    "rustls",
    "tracing-subscriber",
];

const fn domain(package: &'static str, may_use: &'static [&'static str]) -> Rule {
    Rule { package, may_use, domain: true }
}

const fn outer(package: &'static str, may_use: &'static [&'static str]) -> Rule {
    Rule { package, may_use, domain: false }
}

pub(crate) fn run(_: &Args) -> Result<()> {
    let declared = declared_edges()?;
    let mut errors = check_edges(RULES, &declared);
    let present = |rule: &&Rule| rule.domain && declared.contains_key(rule.package);
    for rule in RULES.iter().filter(present) {
        let tree = Tree::parse(&normal_dependencies(rule.package)?)?;
        errors.extend(check_reach(rule.package, &tree));
    }
    if !errors.is_empty() {
        bail!("{} boundary error(s):\n\n{}", errors.len(), errors.join("\n\n"));
    }
    println!("boundaries: {} packages keep to the table", declared.len());
    Ok(())
}

/// Every package of the workspace and the packages of the workspace that it names, for whatever kind of use.
type Edges = BTreeMap<String, BTreeSet<String>>;

fn declared_edges() -> Result<Edges> {
    let metadata = workspace::metadata()?;
    let members = metadata.workspace_packages();
    let is_member = |name: &str| members.iter().any(|package| package.name.as_str() == name);
    let edges = members.iter().map(|package| {
        let used = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        let used = used.map(|dependency| dependency.name.clone()).filter(|name| is_member(name));
        (package.name.to_string(), used.collect())
    });
    Ok(edges.collect())
}

fn check_edges(rules: &[Rule], declared: &Edges) -> Vec<String> {
    let mut errors = Vec::new();
    for (package, used) in declared {
        let Some(rule) = rules.iter().find(|rule| rule.package == package) else {
            errors.push(format!(
                "{package} is not in the table: give it a row with the packages it may use in xtask/src/boundaries.rs"
            ));
            continue;
        };
        for name in used.iter().filter(|name| *name != package && !rule.may_use.contains(&name.as_str())) {
            errors.push(format!(
                "{package} -> {name} is not allowed: {}\ntake it out of {package}'s Cargo.toml; or, if the architecture \
                 is to change, change the table in xtask/src/boundaries.rs and docs/architecture.md with it",
                if rule.may_use.is_empty() {
                    format!("{package} may use no other package of the workspace")
                } else {
                    format!("{package} may use {}", rule.may_use.join(", "))
                },
            ));
        }
    }
    errors
}

/// `cargo metadata` resolves features for the whole workspace at once, so an optional dependency that only the
/// server switches on would be blamed on the domain. `cargo tree -p` resolves for the one package. Macros run in the
/// compiler, and what they use reaches nobody's program.
fn normal_dependencies(package: &str) -> Result<String> {
    process::output(&mut process::cargo([
        "tree",
        "--package",
        package,
        "--edges",
        "normal,no-proc-macro",
        "--target",
        "all",
        "--prefix",
        "depth",
        "--format",
        " {p}",
    ]))
}

fn check_reach(package: &str, tree: &Tree) -> Vec<String> {
    let reached = tree.chains().into_iter().filter(|chain| chain.last().is_some_and(|name| is_forbidden(name)));
    let errors = reached.map(|chain| {
        let direct = chain.len() == 2;
        format!(
            "{package} must not reach {}: {}\na domain crate has no I/O; {}",
            chain[chain.len() - 1],
            chain.join(" -> "),
            if direct {
                "move what needs it behind a port, into an adapter".to_owned()
            } else {
                format!("leave {0} out, or switch off the feature of {0} that brings it", chain[1])
            },
        )
    });
    errors.collect()
}

fn is_forbidden(name: &str) -> bool {
    FORBIDDEN.iter().any(|forbidden| match forbidden.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *forbidden,
    })
}

/// A resolved tree of dependencies. Nodes are a name and a version, since a tree can hold two of one name.
struct Tree {
    root: String,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    /// Reads lines of a depth, a space, a name, a version and possibly more, parents before children. A subtree is
    /// printed in full once and later marked `(*)`, which loses nothing, as nodes are merged.
    fn parse(text: &str) -> Result<Self> {
        let mut tree = Self { root: String::new(), edges: BTreeMap::new() };
        let mut path: Vec<String> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let node = (|| {
                let depth: usize = words.next()?.parse().ok()?;
                let node = format!("{} {}", words.next()?, words.next()?);
                (depth <= path.len()).then_some((depth, node))
            })();
            let (depth, node) = node.with_context(|| format!("`cargo tree` printed an unknown line: {line}"))?;
            path.truncate(depth);
            match path.last() {
                Some(parent) => {
                    tree.edges.entry(parent.clone()).or_default().insert(node.clone());
                }
                None => tree.root = node.clone(),
            }
            path.push(node);
        }
        if tree.root.is_empty() {
            bail!("`cargo tree` printed nothing");
        }
        Ok(tree)
    }

    /// For every package that is reached the names along a shortest way to it, the root's first. Behind a forbidden
    /// one the search ends: what tokio uses is no news.
    fn chains(&self) -> Vec<Vec<&str>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([self.root.as_str()]);
        let mut chains = Vec::new();
        while let Some(node) = queue.pop_front() {
            let mut chain = vec![name_of(node)];
            let mut at = node;
            while let Some(parent) = came_from.get(at) {
                chain.push(name_of(parent));
                at = parent;
            }
            chain.reverse();
            chains.push(chain);
            if is_forbidden(name_of(node)) {
                continue;
            }
            for next in self.edges.get(node).into_iter().flatten() {
                if *next != self.root && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, node);
                    queue.push_back(next);
                }
            }
        }
        chains
    }
}

fn name_of(node: &str) -> &str {
    node.split(' ').next().unwrap_or(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Rule] = &[domain("kernel", &[]), domain("assets", &["kernel"]), outer("app", &["assets", "kernel"])];

    fn edges(list: &[(&str, &[&str])]) -> Edges {
        list.iter()
            .map(|(name, used)| (name.to_string(), used.iter().map(std::string::ToString::to_string).collect()))
            .collect()
    }

    #[test]
    fn edges_of_the_table_pass() {
        let declared = edges(&[("kernel", &[]), ("assets", &["kernel"]), ("app", &["kernel"])]);
        assert_eq!(check_edges(TABLE, &declared), Vec::<String>::new());
    }

    #[test]
    fn an_edge_the_wrong_way_is_named() {
        let errors = check_edges(TABLE, &edges(&[("kernel", &["assets"]), ("assets", &["app", "kernel"])]));
        assert_eq!(errors.len(), 2);
        assert!(errors[0].starts_with("assets -> app is not allowed: assets may use kernel\n"), "{}", errors[0]);
        assert!(errors[1].starts_with("kernel -> assets is not allowed: kernel may use no other"), "{}", errors[1]);
    }

    #[test]
    fn a_package_without_a_row_is_named() {
        let errors = check_edges(TABLE, &edges(&[("kernel", &[]), ("cli", &["kernel"])]));
        assert_eq!(errors.len(), 1);
        assert!(errors[0].starts_with("cli is not in the table"), "{}", errors[0]);
    }

    #[test]
    fn the_table_has_no_cycle_and_names_only_its_own_rows() {
        for (at, rule) in RULES.iter().enumerate() {
            for name in rule.may_use {
                // Rows stand in the order in which the packages build, so an edge can only point up.
                assert!(RULES[..at].iter().any(|earlier| earlier.package == *name), "{} -> {name}", rule.package);
            }
        }
    }

    #[test]
    fn the_chain_to_a_forbidden_package_is_shown() {
        let tree = "0 assets v0.1.0 (/somewhere)\n1 serde v1.0.0\n1 foo v2.0.0\n2 tokio v1.5.0\n3 mio v1.0.0\n";
        let errors = check_reach("assets", &Tree::parse(tree).expect("it is a tree"));
        assert_eq!(errors.len(), 1);
        assert!(errors[0].contains("assets -> foo -> tokio\n"), "{}", errors[0]);
        assert!(errors[0].contains("the feature of foo"), "{}", errors[0]);
    }

    #[test]
    fn a_subtree_printed_only_once_is_followed_from_both_places() {
        let tree = "0 a v1.0.0\n1 b v1.0.0\n2 c v1.0.0\n3 d v1.0.0\n4 actix-rt v2.0.0\n1 d v1.0.0 (*)\n";
        let errors = check_reach("a", &Tree::parse(tree).expect("it is a tree"));
        assert_eq!(errors.len(), 1);
        assert!(errors[0].contains(": a -> d -> actix-rt\n"), "the shortest way: {}", errors[0]);
    }

    #[test]
    fn two_versions_of_one_name_are_two_nodes() {
        let tree = "0 a v1.0.0\n1 b v1.0.0\n1 c v1.0.0\n2 b v2.0.0\n3 ring v0.17.0\n";
        let errors = check_reach("a", &Tree::parse(tree).expect("it is a tree"));
        assert!(errors[0].contains("a -> c -> b -> ring\n"), "{}", errors[0]);
    }

    #[test]
    fn names_are_forbidden_whole_unless_starred() {
        assert!(is_forbidden("actix-http") && is_forbidden("tokio") && is_forbidden("object_store"));
        assert!(!is_forbidden("tokio-postgres") && !is_forbidden("ring-buffer") && !is_forbidden("actix"));
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for text in ["", "warning: odd\n", "0 a v1\n2 b v1\n"] {
            assert!(Tree::parse(text).is_err(), "{text:?}");
        }
    }
}
