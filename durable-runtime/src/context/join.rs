//! Side by side, until all are done: as many as there are places for.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{MaybeDone, maybe_done};

use super::durable::DurableFuture;

/// Waits for all of several durable futures, which run side by side, and gives their outputs as a tuple.
///
/// ```
/// # use durable_runtime::prelude::*;
/// # #[activity] async fn pack(order: u32) -> String { format!("parcel {order}") }
/// # #[activity] async fn print_label(order: u32) -> String { format!("label {order}") }
/// #[orchestration]
/// async fn ship(ctx: OrchestrationContext, order: u32) -> Result<String, ActivityError> {
///     let (parcel, label) = join!(pack(&ctx, order), print_label(&ctx, order));
///     Ok(format!("{} with {}", parcel?, label?))
/// }
/// ```
#[macro_export]
macro_rules! join {
    ($a:expr $(,)?) => {
        ($crate::__private::durable($a).await,)
    };
    ($a:expr, $b:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join2::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join3::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join4::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join5::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join6::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
            $crate::__private::slot($f),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr, $g:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join7::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
            $crate::__private::slot($f),
            $crate::__private::slot($g),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr, $g:expr, $h:expr $(,)?) => {
        $crate::__private::durable($crate::__private::Join8::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
            $crate::__private::slot($f),
            $crate::__private::slot($g),
            $crate::__private::slot($h),
        ))
        .await
    };
    ($($more:expr),+ $(,)?) => {
        ::core::compile_error!("`join!` takes up to 8 futures; use `join_all` for more")
    };
}

/// As [`join!`](crate::join), for futures of `Result`s: ends with the first error in history order, and cancels the
/// others then. Gives `Ok` with a tuple of all values, or `Err` with that error.
#[macro_export]
macro_rules! try_join {
    ($a:expr $(,)?) => {
        $crate::__private::durable($a).await.map(|value| (value,))
    };
    ($a:expr, $b:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin2::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin3::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin4::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin5::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin6::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
            $crate::__private::slot($f),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr, $g:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin7::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
            $crate::__private::slot($f),
            $crate::__private::slot($g),
        ))
        .await
    };
    ($a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr, $g:expr, $h:expr $(,)?) => {
        $crate::__private::durable($crate::__private::TryJoin8::new(
            $crate::__private::slot($a),
            $crate::__private::slot($b),
            $crate::__private::slot($c),
            $crate::__private::slot($d),
            $crate::__private::slot($e),
            $crate::__private::slot($f),
            $crate::__private::slot($g),
            $crate::__private::slot($h),
        ))
        .await
    };
    ($($more:expr),+ $(,)?) => {
        ::core::compile_error!("`try_join!` takes up to 8 futures; use `try_join_all` for more")
    };
}

/// The place of one future and then of its output.
pub type Slot<F> = Pin<Box<MaybeDone<F>>>;

/// Takes part in a join. This is the one place that asks for a durable future: the joins take every slot, so that a
/// future which is none is one error, at its argument.
pub fn slot<F: IntoFuture>(future: F) -> Slot<F::IntoFuture>
where
    F::IntoFuture: DurableFuture,
{
    Box::pin(maybe_done(future.into_future()))
}

/// Whether the future of the slot is done.
pub(super) fn poll_slot<F: Future>(slot: &mut Slot<F>, cx: &mut Context<'_>) -> bool {
    slot.as_mut().poll(cx).is_ready()
}

/// Whether a result is there, and is an error.
pub(super) fn has_failed<F: Future<Output = Result<T, E>>, T, E>(slot: &mut Slot<F>) -> bool {
    matches!(slot.as_mut().output_mut(), Some(Err(_)))
}

macro_rules! joins {
    ($($join:ident $try_join:ident: $(($future:ident, $slot:ident, $output:ident)),+;)+) => {$(
        /// What `join!` makes.
        pub struct $join<$($future: Future),+> { $($slot: Slot<$future>),+ }

        impl<$($future: Future),+> $join<$($future),+> {
            /// Joins these.
            #[allow(clippy::too_many_arguments, reason = "one for each branch")]
            pub fn new($($slot: Slot<$future>),+) -> Self {
                Self { $($slot),+ }
            }
        }

        impl<$($future: Future),+> Future for $join<$($future),+> {
            type Output = ($($future::Output,)+);

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                let mut done = true;
                $(done &= poll_slot(&mut this.$slot, cx);)+
                if !done {
                    return Poll::Pending;
                }
                match ($(this.$slot.as_mut().take_output(),)+) {
                    ($(Some($slot),)+) => Poll::Ready(($($slot,)+)),
                    _ => Poll::Pending,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($future: Future),+> DurableFuture for $join<$($future),+> {}

        /// What `try_join!` makes.
        pub struct $try_join<$($future: Future),+> { $($slot: Slot<$future>),+ }

        impl<Error, $($output,)+ $($future: Future<Output = Result<$output, Error>>),+> $try_join<$($future),+> {
            /// Joins these.
            #[allow(clippy::too_many_arguments, reason = "one for each branch")]
            pub fn new($($slot: Slot<$future>),+) -> Self {
                Self { $($slot),+ }
            }
        }

        impl<Error, $($output,)+ $($future: Future<Output = Result<$output, Error>>),+> Future
            for $try_join<$($future),+>
        {
            type Output = Result<($($output,)+), Error>;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = &mut *self;
                let mut done = true;
                $(
                    done &= poll_slot(&mut this.$slot, cx);
                    if has_failed(&mut this.$slot) {
                        if let Some(Err(error)) = this.$slot.as_mut().take_output() {
                            return Poll::Ready(Err(error));
                        }
                    }
                )+
                if !done {
                    return Poll::Pending;
                }
                match ($(this.$slot.as_mut().take_output(),)+) {
                    ($(Some(Ok($slot)),)+) => Poll::Ready(Ok(($($slot,)+))),
                    _ => Poll::Pending,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl<Error, $($output,)+ $($future: Future<Output = Result<$output, Error>>),+> DurableFuture
            for $try_join<$($future),+>
        {
        }
    )+};
}

joins! {
    Join2 TryJoin2: (A, a, OutA), (B, b, OutB);
    Join3 TryJoin3: (A, a, OutA), (B, b, OutB), (C, c, OutC);
    Join4 TryJoin4: (A, a, OutA), (B, b, OutB), (C, c, OutC), (D, d, OutD);
    Join5 TryJoin5: (A, a, OutA), (B, b, OutB), (C, c, OutC), (D, d, OutD), (E, e, OutE);
    Join6 TryJoin6: (A, a, OutA), (B, b, OutB), (C, c, OutC), (D, d, OutD), (E, e, OutE), (F, f, OutF);
    Join7 TryJoin7: (A, a, OutA), (B, b, OutB), (C, c, OutC), (D, d, OutD), (E, e, OutE), (F, f, OutF), (G, g, OutG);
    Join8 TryJoin8: (A, a, OutA), (B, b, OutB), (C, c, OutC), (D, d, OutD), (E, e, OutE), (F, f, OutF), (G, g, OutG), (H, h, OutH);
}
