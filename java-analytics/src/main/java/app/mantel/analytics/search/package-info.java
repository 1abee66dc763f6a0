/** What people look for, and what they meant. */
@NullMarked
package app.mantel.analytics.search;

import org.jspecify.annotations.NullMarked;
