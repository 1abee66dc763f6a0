/** Copies of films for phones that cannot play them; off unless a folder is named for them. */
@NullMarked
package app.mantel.analytics.phone;

import org.jspecify.annotations.NullMarked;
