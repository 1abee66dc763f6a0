/** What is watched most. */
@NullMarked
package app.mantel.analytics.popularity;

import org.jspecify.annotations.NullMarked;
