use crate::tree::checkpoint;
use crate::world::{Db, World};
use artdag_anchoring::Digest;
use artdag_anchoring::log::empty_root;

const LOG: &str = "art.example/log";

fn root(n: u64) -> Digest {
    Digest::of(&n.to_be_bytes())
}

async fn note(store: &Db, before: (u64, Digest), size: u64, root: Digest) -> bool {
    let mut unit = store.begin().await.unwrap();
    let noted = unit.note_seen(before, &checkpoint(LOG, size, root), World::new().now()).await.unwrap();
    unit.commit().await.unwrap();
    noted
}

pub(crate) async fn notes_only_what_follows_what_it_saw(store: Db) {
    let last = || async { store.read().await.unwrap().last_seen(LOG).await.unwrap() };
    assert_eq!(last().await, None);
    assert!(!note(&store, (4, root(4)), 5, root(5)).await, "it never saw that");
    assert_eq!(last().await, None);
    assert!(note(&store, (0, empty_root()), 5, root(5)).await);
    assert!(!note(&store, (0, empty_root()), 6, root(6)).await, "it has seen more than nothing");
    assert!(!note(&store, (5, root(4)), 6, root(6)).await, "it saw another root");
    assert!(!note(&store, (4, root(5)), 6, root(6)).await, "it saw another size");
    assert_eq!(last().await, Some((5, root(5))));
    assert!(note(&store, (5, root(5)), 5, root(5)).await);
    assert!(note(&store, (5, root(5)), 9, root(9)).await);
    assert_eq!(last().await, Some((9, root(9))));
    assert_eq!(store.read().await.unwrap().last_seen("other.example/log").await.unwrap(), None);
}

pub(crate) async fn begins_with_an_empty_log_too(store: Db) {
    assert!(note(&store, (0, empty_root()), 0, empty_root()).await);
    assert_eq!(store.read().await.unwrap().last_seen(LOG).await.unwrap(), Some((0, empty_root())));
    assert!(note(&store, (0, empty_root()), 3, root(3)).await);
    assert_eq!(store.read().await.unwrap().last_seen(LOG).await.unwrap(), Some((3, root(3))));
}

/// Two that show a log with two histories at once: it sees one of them.
pub(crate) async fn sees_one_of_many_histories(store: Db) {
    for before in [(0, empty_root()), (1, root(1))] {
        let tries: Vec<_> = (0..10)
            .map(|n| {
                let store = store.clone();
                let root = if before.0 == 0 { root(1) } else { root(100 + n) };
                tokio::spawn(async move { note(&store, before, before.0 + 1, root).await })
            })
            .collect();
        let mut noted = 0;
        for one in tries {
            noted += u32::from(one.await.unwrap());
        }
        assert_eq!(noted, 1);
    }
}
