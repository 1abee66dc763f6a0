/** Who comes, how long, on which days. */
@NullMarked
package app.mantel.analytics.engagement;

import org.jspecify.annotations.NullMarked;
