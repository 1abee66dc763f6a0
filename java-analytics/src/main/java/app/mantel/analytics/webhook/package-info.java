/** What the appliance is told, once and in order. */
@NullMarked
package app.mantel.analytics.webhook;

import org.jspecify.annotations.NullMarked;
