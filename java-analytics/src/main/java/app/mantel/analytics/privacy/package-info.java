/** Whose name may stand beside an event. */
@NullMarked
package app.mantel.analytics.privacy;

import org.jspecify.annotations.NullMarked;
