/** How much there is, how fast it grows, what lies twice or cold. */
@NullMarked
package app.mantel.analytics.storage;

import org.jspecify.annotations.NullMarked;
