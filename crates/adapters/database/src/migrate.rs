//! What both engines share of bringing a schema up to date.

use crate::OpenError;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

/// Applies what is missing, each in a transaction of its own. Whoever calls keeps other processes out.
pub(crate) fn run<DB: Backend>(
    database: &mut impl MigrationHarness<DB>,
    source: &EmbeddedMigrations,
) -> Result<Vec<String>, OpenError> {
    let known = sorted::<DB>(source)?;
    let applied = database.applied_migrations().map_err(OpenError::Migration)?;
    if let Some(unknown) = applied.iter().find(|version| !known.iter().any(|m| m.name().version() == **version)) {
        return Err(OpenError::Newer(unknown.to_string()));
    }
    let mut names = Vec::new();
    for migration in known.iter().filter(|m| !applied.contains(&m.name().version())) {
        tracing::info!(migration = %migration.name(), "migrating the database");
        database.run_migration(migration.as_ref()).map_err(OpenError::Migration)?;
        names.push(migration.name().to_string());
    }
    Ok(names)
}

/// Compares what was applied with what this version has.
pub(crate) fn check<DB: Backend>(applied: &[String], source: &EmbeddedMigrations) -> Result<(), OpenError> {
    let known = sorted::<DB>(source)?;
    let mut versions = known.iter().map(|m| m.name().version().to_string());
    if let Some(newer) =
        applied.iter().find(|version| !known.iter().any(|m| m.name().version().to_string() == **version))
    {
        return Err(OpenError::Newer(newer.clone()));
    }
    match versions.find(|version| !applied.contains(version)) {
        Some(missing) => Err(OpenError::Behind(missing)),
        None => Ok(()),
    }
}

fn sorted<DB: Backend>(source: &EmbeddedMigrations) -> Result<Vec<Box<dyn Migration<DB>>>, OpenError> {
    let mut known: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(OpenError::Migration)?;
    known.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(known)
}
