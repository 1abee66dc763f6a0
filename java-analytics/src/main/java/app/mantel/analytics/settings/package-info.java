/** What the environment says, read once at the start. */
@NullMarked
package app.mantel.analytics.settings;

import org.jspecify.annotations.NullMarked;
