interface Window {
  /** vendor/uPlot.iife.min.js */
  uPlot: any;
}
