/** Work that comes again: when it ran, and what it missed while the box was off. */
@NullMarked
package app.mantel.analytics.schedule;

import org.jspecify.annotations.NullMarked;
