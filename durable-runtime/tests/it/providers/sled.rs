//! What a store on disk owes besides.
