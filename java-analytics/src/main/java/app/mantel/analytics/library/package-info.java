/** What is in a file: watch, read, checksum. */
@NullMarked
package app.mantel.analytics.library;

import org.jspecify.annotations.NullMarked;
