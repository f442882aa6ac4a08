use crate::Registry;
use artdag_assets::{Asset, AssetFilter};
use artdag_kernel::{Page, PageLimit, ServerUrl, StoreError};
use artdag_provenance::RunId;

/// How many renderers' runs of one name are looked at. There are no more renderers than an operator names.
const MOST_RUNS: u16 = 200;

impl Registry {
    /// The asset that a run made: what was recorded of it, first recorded first, whichever renderer's it is if none is
    /// named. Anybody may claim any run, so a claim counts only where nothing was recorded, and is no renderer's word.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn asset_of_run(
        &self,
        run_id: &RunId,
        l1_server: Option<&ServerUrl>,
    ) -> Result<Option<Asset>, StoreError> {
        let mut reader = self.read().await?;
        let runs = match l1_server {
            Some(l1_server) => reader.find_run(l1_server, run_id).await?.into_iter().collect(),
            None => reader.list_runs(run_id, MOST_RUNS).await?,
        };
        for run in runs {
            // The output of another may have been deleted.
            if let Some(asset) = reader.find_asset_by_id(run.output).await? {
                return Ok(Some(asset));
            }
        }
        if l1_server.is_some() {
            return Ok(None);
        }
        let filter = AssetFilter { run_id: Some(run_id.clone()), ..AssetFilter::default() };
        let claims = reader.list_assets(&filter, Page::newest(PageLimit::DEFAULT)).await?;
        Ok(claims.items.into_iter().next())
    }
}
