/** The store: one writer, a few readers, and the moves of the schema. */
@NullMarked
package app.mantel.analytics.db;

import org.jspecify.annotations.NullMarked;
