/** Which parts of a film are watched. */
@NullMarked
package app.mantel.analytics.heatmap;

import org.jspecify.annotations.NullMarked;
