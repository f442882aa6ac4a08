use crate::world::{Db, World, add, bury, username, with_users};
use artdag_assets::Asset;
use artdag_kernel::{ServerUrl, StoreError};
use artdag_provenance::{Run, RunId};

fn server(name: &str) -> ServerUrl {
    format!("https://{name}.example").parse().unwrap()
}

fn run_id(text: &str) -> RunId {
    text.parse().unwrap()
}

fn run(world: &World, id: &str, output: &Asset) -> Run {
    world.wait(1);
    Run {
        l1_server: server("l1"),
        run_id: run_id(id),
        recorded_by: username("giles"),
        recorded_at: world.now(),
        output: output.id,
        report: "{\"status\":\"completed\",\"ü\":\"\\u0000\",\"n\":1.0e2}".to_owned(),
    }
}

async fn try_add_run(store: &Db, run: &Run) -> Result<(), StoreError> {
    let mut unit = store.begin().await?;
    unit.add_run(run).await?;
    unit.commit().await
}

async fn found(store: &Db, run: &Run) -> Option<Run> {
    store.read().await.unwrap().find_run(&run.l1_server, &run.run_id).await.unwrap()
}

pub(crate) async fn runs_are_found_as_they_were_added(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let asset = world.asset("a", "giles");
    let run = run(&world, "röd 1", &asset);
    let mut unit = store.begin().await.unwrap();
    unit.add_asset(&asset).await.unwrap();
    unit.add_run(&run).await.unwrap();
    assert_eq!(unit.find_run(&run.l1_server, &run.run_id).await.unwrap().as_ref(), Some(&run));
    unit.commit().await.unwrap();
    assert_eq!(found(&store, &run).await.as_ref(), Some(&run));
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.find_run(&server("l2"), &run.run_id).await.unwrap(), None);
    assert_eq!(reader.find_run(&run.l1_server, &run_id("Röd 1")).await.unwrap(), None);
}

pub(crate) async fn runs_are_recorded_once(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let (a, b) = (world.asset("a", "giles"), world.asset("b", "giles"));
    add(&store, &[&a, &b]).await;
    let first = run(&world, "1", &a);
    let mut unit = store.begin().await.unwrap();
    unit.add_run(&first).await.unwrap();
    assert!(matches!(unit.add_run(&run(&world, "1", &b)).await, Err(StoreError::Conflict("run"))));
    let elsewhere = Run { l1_server: server("l2"), ..run(&world, "1", &b) };
    unit.add_run(&elsewhere).await.unwrap();
    unit.commit().await.unwrap();
    assert!(matches!(try_add_run(&store, &first).await, Err(StoreError::Conflict("run"))));
    assert_eq!(found(&store, &first).await.as_ref(), Some(&first));
    assert_eq!(found(&store, &elsewhere).await.as_ref(), Some(&elsewhere));
    let mut reader = store.read().await.unwrap();
    let all = reader.list_runs(&first.run_id, 10).await.unwrap();
    assert_eq!(all, [first.clone(), elsewhere], "first recorded first");
    assert_eq!(reader.list_runs(&first.run_id, 1).await.unwrap(), [first]);
    assert_eq!(reader.list_runs(&run_id("2"), 10).await.unwrap(), []);
}

pub(crate) async fn runs_are_recorded_anew_when_the_output_was_deleted(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let before = world.asset("a", "giles");
    add(&store, &[&before]).await;
    let first = run(&world, "1", &before);
    try_add_run(&store, &first).await.unwrap();
    bury(&store, &world, &before).await;
    assert_eq!(found(&store, &first).await.as_ref(), Some(&first), "the run itself is not withdrawn");

    let after = world.asset("a", "giles");
    add(&store, &[&after]).await;
    let second = Run { report: "{}".to_owned(), ..run(&world, "1", &after) };
    try_add_run(&store, &second).await.unwrap();
    assert_eq!(found(&store, &second).await.as_ref(), Some(&second));
    assert!(matches!(try_add_run(&store, &first).await, Err(StoreError::Conflict("run"))));

    // In one unit: deleted, registered and recorded again.
    let mut unit = store.begin().await.unwrap();
    assert!(unit.bury_asset(&after.bury(world.id(), world.now()), after.revision).await.unwrap());
    let third = world.asset("a", "giles");
    unit.add_asset(&third).await.unwrap();
    let again = run(&world, "1", &third);
    unit.add_run(&again).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(found(&store, &again).await, Some(again));
}

pub(crate) async fn a_run_recorded_by_many_is_recorded_once(store: Db) {
    let world = World::new();
    with_users(&store, &world, &["giles"]).await;
    let asset = world.asset("a", "giles");
    add(&store, &[&asset]).await;
    let tries = (0..20).map(|_| {
        let (store, run) = (store.clone(), run(&world, "1", &asset));
        tokio::spawn(async move { try_add_run(&store, &run).await })
    });
    let mut recorded = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(()) => recorded += 1,
            Err(StoreError::Conflict("run")) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(recorded, 1);
}
