use crate::world::{Db, World, add, publish, tags, username, with_users};
use artdag_assets::{Asset, AssetFilter};
use artdag_federation::{Activity, ActivityKind};
use artdag_kernel::{ContentHash, Cursor, Page, PageLimit, Position, Slice, StoreError};
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

/// 23 of each, many of one instant.
async fn filled(store: &Db) -> (Vec<Asset>, Vec<Activity>) {
    let world = World::new();
    with_users(store, &world, &["giles", "ada"]).await;
    let start = world.now();
    // Some pages end inside a run of equal instants, whichever their size.
    let at = |n: u8| start + TimeDelta::microseconds(i64::from(n / 5) * 500_000);
    let owner = |n: u8| if n % 4 == 3 { "ada" } else { "giles" };
    let mut assets: Vec<Asset> = (0..23)
        .map(|n| Asset {
            created_at: at(n),
            updated_at: at(n),
            ..world.asset_with(&n.to_string(), owner(n), |new| new.details.tags = tags(&["t"]))
        })
        .collect();
    let mut activities: Vec<Activity> = (0..23)
        .map(|n| Activity {
            published_at: at(n),
            ..world.activity(ActivityKind::Create, owner(n), ContentHash::of(&[n]))
        })
        .collect();
    // Ids fall while times rise, so that neither order alone is right.
    let mut ids: Vec<_> = assets.iter().map(|a| a.id).collect();
    ids.sort_by(|a, b| b.cmp(a));
    assets.iter_mut().zip(ids).for_each(|(asset, id)| asset.id = id);
    add(store, &assets.iter().rev().collect::<Vec<_>>()).await;
    publish(store, &activities.iter().collect::<Vec<_>>()).await;
    assets.sort_by_key(|a| std::cmp::Reverse((a.created_at, a.id)));
    activities.sort_by_key(|a| std::cmp::Reverse((a.published_at, a.id)));
    (assets, activities)
}

trait Item: Clone + PartialEq + std::fmt::Debug {
    fn cursor(&self) -> Cursor;
}

impl Item for Asset {
    fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.as_uuid() }
    }
}

impl Item for Activity {
    fn cursor(&self) -> Cursor {
        Cursor { at: self.published_at, id: self.id.as_uuid() }
    }
}

/// Walks to the end and back in pages of one size, and checks that nothing is lost, doubled or misplaced.
async fn walk<T, F>(expected: &[T], size: u16, mut page_at: impl FnMut(Page) -> F)
where
    T: Item,
    F: Future<Output = Result<Slice<T>, StoreError>>,
{
    let limit = PageLimit::new(size).unwrap();
    let mut seen: Vec<T> = Vec::new();
    let mut slice = page_at(Page::newest(limit)).await.unwrap();
    loop {
        assert_eq!(slice.has_newer, !seen.is_empty());
        seen.extend(slice.items.iter().cloned());
        assert_eq!(slice.has_older, seen.len() < expected.len());
        let Some(last) = seen.last().filter(|_| slice.has_older) else {
            break;
        };
        slice = page_at(Page { limit, position: Position::OlderThan(last.cursor()) }).await.unwrap();
    }
    assert_eq!(seen, expected, "forward by {size}");

    let mut back: Vec<T> = expected[expected.len() - 1..].to_vec();
    while back.len() < expected.len() {
        let position = Position::NewerThan(back[0].cursor());
        let slice = page_at(Page { limit, position }).await.unwrap();
        assert!(slice.has_older && !slice.items.is_empty());
        back.splice(0..0, slice.items);
        assert_eq!(slice.has_newer, back.len() < expected.len());
    }
    assert_eq!(back, expected, "backward by {size}");
}

pub(crate) async fn walks_both_ways_through_ties(store: Db) {
    let (assets, activities) = filled(&store).await;
    let giles = username("giles");
    let owner = AssetFilter { owner: Some(giles.clone()), ..AssetFilter::default() };
    let tag = AssetFilter { tags: vec!["t".parse().unwrap()], ..AssetFilter::default() };
    let his_assets: Vec<Asset> = assets.iter().filter(|a| a.owner == giles).cloned().collect();
    let his_activities: Vec<Activity> = activities.iter().filter(|a| a.actor == giles).cloned().collect();
    for size in 1..=9 {
        for (filter, expected) in [(&AssetFilter::default(), &assets), (&owner, &his_assets), (&tag, &assets)] {
            let read = |page| {
                let store = store.clone();
                async move { store.read().await?.list_assets(filter, page).await }
            };
            walk(expected, size, read).await;
        }
        for (actor, expected) in [(None, &activities), (Some(&giles), &his_activities)] {
            let read = |page| {
                let store = store.clone();
                async move { store.read().await?.list_activities(actor, page).await }
            };
            walk(expected, size, read).await;
        }
    }
}

pub(crate) async fn counts_pages_too(store: Db) {
    let (assets, activities) = filled(&store).await;
    let limit = PageLimit::new(5).unwrap();
    let mut reader = store.read().await.unwrap();
    for offset in [0, 1, 5, 18, 20, 23, 10_000] {
        let page = Page { limit, position: Position::Offset(offset) };
        let start = (offset as usize).min(23);
        let end = (start + 5).min(23);
        let slice = reader.list_assets(&AssetFilter::default(), page).await.unwrap();
        assert_eq!(slice.items, assets[start..end], "{offset}");
        assert_eq!((slice.has_newer, slice.has_older), (offset > 0, end < 23));
        let slice = reader.list_activities(None, page).await.unwrap();
        assert_eq!(slice.items, activities[start..end], "{offset}");
    }
}

/// A cursor is the client's word: of any year, and of an item that was never there.
pub(crate) async fn takes_any_cursor(store: Db) {
    let (assets, _) = filled(&store).await;
    let limit = PageLimit::new(200).unwrap();
    let mut reader = store.read().await.unwrap();
    for (at, beyond_all) in [
        (DateTime::from_timestamp(-8_000_000_000_000, 0).unwrap(), true),
        (DateTime::from_timestamp(-70_000_000_000, 0).unwrap(), true),
        (DateTime::from_timestamp(0, 0).unwrap(), true),
        (DateTime::from_timestamp(300_000_000_000, 0).unwrap(), false),
        (DateTime::from_timestamp(8_000_000_000_000, 0).unwrap(), false),
    ] {
        for id in [Uuid::nil(), Uuid::max()] {
            let cursor = Cursor { at, id };
            let page = Page { limit, position: Position::OlderThan(cursor) };
            let older = reader.list_assets(&AssetFilter::default(), page).await.unwrap();
            let page = Page { limit, position: Position::NewerThan(cursor) };
            let newer = reader.list_assets(&AssetFilter::default(), page).await.unwrap();
            let (full, empty) = if beyond_all { (newer, older) } else { (older, newer) };
            assert_eq!(full.items, assets, "{at}");
            assert_eq!(empty.items, [], "{at}");
        }
    }
}
