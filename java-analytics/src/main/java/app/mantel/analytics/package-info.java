/** The analytics daemon; one package a feature. */
@NullMarked
package app.mantel.analytics;

import org.jspecify.annotations.NullMarked;
