/** Telling systemd how we are. */
@NullMarked
package app.mantel.analytics.systemd;

import org.jspecify.annotations.NullMarked;
