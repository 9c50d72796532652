//! Changing the code of instances in flight.

use super::OrchestrationContext;

/// The version that stands for the newest one that the runtime has when the instance begins.
pub const LATEST: &str = "latest";

impl OrchestrationContext {
    /// Whether the changed way is to be taken here. Instances that came by before the change go on as they did, all others
    /// take the new way; each keeps its first answer for this execution, also in loops.
    ///
    /// When no instance from before the change is left, the call and the old way can be taken out.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[activity]
    /// async fn send_letter(text: String) -> String {
    ///     format!("letter: {text}")
    /// }
    ///
    /// #[activity]
    /// async fn send_mail(text: String) -> String {
    ///     format!("mail: {text}")
    /// }
    ///
    /// #[orchestration]
    /// async fn notify(ctx: OrchestrationContext, text: String) -> Result<String, ActivityError> {
    ///     if ctx.patched("mail instead of letters") {
    ///         send_mail(&ctx, text).await
    ///     } else {
    ///         send_letter(&ctx, text).await
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// assert_eq!(runtime.run(notify(&runtime.client(), "hello".to_owned())).await?, "mail: hello");
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn patched(&self, id: &str) -> bool {
        self.ask(|journal| journal.patched(id))
    }
}
