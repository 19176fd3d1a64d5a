<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="AllStyleCategories" labelsEnabled="1" readOnly="0" hasScaleBasedVisibilityFlag="0" minScale="100000000" maxScale="0" simplifyLocal="1" simplifyDrawingHints="1" simplifyDrawingTol="1" simplifyMaxScale="1" simplifyAlgorithm="0" symbologyReferenceScale="-1">
 <flags>
  <Identifiable>1</Identifiable>
  <Removable>1</Removable>
  <Searchable>1</Searchable>
  <Private>0</Private>
 </flags>
 <fieldConfiguration>
  <field name="fid" configurationFlags="None">
   <editWidget type="Hidden">
    <config>
     <Option type="Map" />
    </config>
   </editWidget>
  </field>
  <field name="discrepancy_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="class" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="Saknas i kartan" type="QString" value="missing" />
       </Option>
       <Option type="Map">
        <Option name="Riven" type="QString" value="demolished" />
       </Option>
       <Option type="Map">
        <Option name="Föråldrad" type="QString" value="obsolete" />
       </Option>
       <Option type="Map">
        <Option name="Tillbyggd" type="QString" value="extended" />
       </Option>
       <Option type="Map">
        <Option name="Delvis riven" type="QString" value="reduced" />
       </Option>
       <Option type="Map">
        <Option name="Ändrad form" type="QString" value="reshaped" />
       </Option>
       <Option type="Map">
        <Option name="Ersatt" type="QString" value="replaced" />
       </Option>
       <Option type="Map">
        <Option name="Flyttad" type="QString" value="moved" />
       </Option>
       <Option type="Map">
        <Option name="Planerad, nu byggd" type="QString" value="planned_built" />
       </Option>
       <Option type="Map">
        <Option name="Syns inte, osäkert" type="QString" value="uncertain_absence" />
       </Option>
       <Option type="Map">
        <Option name="Delad" type="QString" value="split" />
       </Option>
       <Option type="Map">
        <Option name="Sammanbyggd" type="QString" value="merged" />
       </Option>
       <Option type="Map">
        <Option name="Annan indelning" type="QString" value="recomposed" />
       </Option>
       <Option type="Map">
        <Option name="Annan objekttyp" type="QString" value="class_mismatch" />
       </Option>
       <Option type="Map">
        <Option name="Dubblett i kartan" type="QString" value="duplicate_in_map" />
       </Option>
       <Option type="Map">
        <Option name="Kan ej bedömas" type="QString" value="not_assessable" />
       </Option>
       <Option type="Map">
        <Option name="Under minsta area" type="QString" value="below_min" />
       </Option>
       <Option type="Map">
        <Option name="Stämmer" type="QString" value="confirmed" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="family" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="Förekomst" type="QString" value="presence" />
       </Option>
       <Option type="Map">
        <Option name="Utbredning" type="QString" value="extent" />
       </Option>
       <Option type="Map">
        <Option name="Sträcka" type="QString" value="stretch" />
       </Option>
       <Option type="Map">
        <Option name="Bedömbarhet" type="QString" value="assessability" />
       </Option>
       <Option type="Map">
        <Option name="Kartan själv" type="QString" value="map" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="theme" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Byggnad" type="QString" value="building" />
       </Option>
       <Option type="Map">
        <Option name="Väg" type="QString" value="road" />
       </Option>
       <Option type="Map">
        <Option name="Stig" type="QString" value="path" />
       </Option>
       <Option type="Map">
        <Option name="Vattendrag" type="QString" value="stream" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="cause" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Okänd" type="QString" value="unknown" />
       </Option>
       <Option type="Map">
        <Option name="Verklig förändring" type="QString" value="real_change" />
       </Option>
       <Option type="Map">
        <Option name="Äldre fel i kartan" type="QString" value="old_map_error" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="cardinality" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="lifecycle" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="Ny" type="QString" value="new" />
       </Option>
       <Option type="Map">
        <Option name="Kvarstår" type="QString" value="persisting" />
       </Option>
       <Option type="Map">
        <Option name="Inte längre funnen" type="QString" value="gone" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="first_seen" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd HH:mm" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd HH:mm:ss" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="last_seen" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd HH:mm" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd HH:mm:ss" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="n_seen" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reopened_because" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reopened_at" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd HH:mm" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd HH:mm:ss" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="map_object_ids" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="map_date" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="map_status" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Gällande" type="QString" value="current" />
       </Option>
       <Option type="Map">
        <Option name="Planerad" type="QString" value="planned" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="map_sigma_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="area_map_m2" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="area_image_m2" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="plus_m2" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="minus_m2" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="length_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="iou" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="iou_aligned" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="shift_dx_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="shift_dy_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="tolerance_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="policy_group" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="p_mean" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="p_q10" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="p_q90" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="confidence" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="priority" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="visible_share" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="near_edge" configurationFlags="None">
   <editWidget type="CheckBox">
    <config>
     <Option type="Map">
      <Option name="CheckedState" type="QString" value="1" />
      <Option name="UncheckedState" type="QString" value="0" />
      <Option name="TextDisplayMethod" type="int" value="0" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reason" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="flight_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="photo_date" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="stac_item" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="gsd_m" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="model_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="config_hash" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="map_snapshot" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="run_id" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="known" configurationFlags="None">
   <editWidget type="Hidden">
    <config>
     <Option type="Map" />
    </config>
   </editWidget>
  </field>
  <field name="status" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="Ej granskad" type="QString" value="open" />
       </Option>
       <Option type="Map">
        <Option name="Bekräftad" type="QString" value="confirmed" />
       </Option>
       <Option type="Map">
        <Option name="Avvisad (falsklarm)" type="QString" value="rejected" />
       </Option>
       <Option type="Map">
        <Option name="Kartan rättad" type="QString" value="fixed" />
       </Option>
       <Option type="Map">
        <Option name="Oklart" type="QString" value="unclear" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reject_reason" configurationFlags="None">
   <editWidget type="ValueMap">
    <config>
     <Option type="Map">
      <Option name="map" type="List">
       <Option type="Map">
        <Option name="–" type="QString" value="{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}" />
       </Option>
       <Option type="Map">
        <Option name="Fordon" type="QString" value="vehicle" />
       </Option>
       <Option type="Map">
        <Option name="Båt" type="QString" value="boat" />
       </Option>
       <Option type="Map">
        <Option name="Container" type="QString" value="container" />
       </Option>
       <Option type="Map">
        <Option name="Växthus" type="QString" value="greenhouse" />
       </Option>
       <Option type="Map">
        <Option name="Altantak" type="QString" value="patio_roof" />
       </Option>
       <Option type="Map">
        <Option name="Sandlåda" type="QString" value="sandpit" />
       </Option>
       <Option type="Map">
        <Option name="Skugga" type="QString" value="shadow" />
       </Option>
       <Option type="Map">
        <Option name="Vegetation" type="QString" value="vegetation" />
       </Option>
       <Option type="Map">
        <Option name="Berg i dagen" type="QString" value="rock" />
       </Option>
       <Option type="Map">
        <Option name="Taket lutar ut i bilden" type="QString" value="lean" />
       </Option>
       <Option type="Map">
        <Option name="Under minsta area" type="QString" value="below_size" />
       </Option>
       <Option type="Map">
        <Option name="Tillfälligt objekt" type="QString" value="temporary" />
       </Option>
       <Option type="Map">
        <Option name="Finns redan i kartan" type="QString" value="already_mapped" />
       </Option>
       <Option type="Map">
        <Option name="Annat" type="QString" value="other" />
       </Option>
      </Option>
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="field_visit" configurationFlags="None">
   <editWidget type="CheckBox">
    <config>
     <Option type="Map">
      <Option name="CheckedState" type="QString" value="1" />
      <Option name="UncheckedState" type="QString" value="0" />
      <Option name="TextDisplayMethod" type="int" value="0" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="comment" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="true" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reviewed_by" configurationFlags="None">
   <editWidget type="TextEdit">
    <config>
     <Option type="Map">
      <Option name="IsMultiline" type="bool" value="false" />
      <Option name="UseHtml" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="reviewed_at" configurationFlags="None">
   <editWidget type="DateTime">
    <config>
     <Option type="Map">
      <Option name="display_format" type="QString" value="yyyy-MM-dd HH:mm" />
      <Option name="field_format" type="QString" value="yyyy-MM-dd HH:mm:ss" />
      <Option name="calendar_popup" type="bool" value="true" />
      <Option name="allow_null" type="bool" value="true" />
      <Option name="field_iso_format" type="bool" value="false" />
     </Option>
    </config>
   </editWidget>
  </field>
  <field name="chip" configurationFlags="None">
   <editWidget type="Hidden">
    <config>
     <Option type="Map" />
    </config>
   </editWidget>
  </field>
 </fieldConfiguration>
 <aliases>
  <alias field="fid" index="0" name="fid" />
  <alias field="discrepancy_id" index="1" name="Avvikelse-id" />
  <alias field="class" index="2" name="Avvikelsetyp" />
  <alias field="family" index="3" name="Slag" />
  <alias field="theme" index="4" name="Tema" />
  <alias field="cause" index="5" name="Orsak" />
  <alias field="cardinality" index="6" name="Antal karta:bild" />
  <alias field="lifecycle" index="7" name="I senaste körningen" />
  <alias field="first_seen" index="8" name="Först sedd" />
  <alias field="last_seen" index="9" name="Senast sedd" />
  <alias field="n_seen" index="10" name="Antal gånger sedd" />
  <alias field="reopened_because" index="11" name="Öppnad igen därför att" />
  <alias field="reopened_at" index="12" name="Öppnad igen när (UTC)" />
  <alias field="map_object_ids" index="13" name="Kartobjekt-id" />
  <alias field="map_date" index="14" name="Kartobjektets datum" />
  <alias field="map_status" index="15" name="Kartobjektets status" />
  <alias field="map_sigma_m" index="16" name="Kartans lägesosäkerhet (m)" />
  <alias field="area_map_m2" index="17" name="Area i kartan (m²)" />
  <alias field="area_image_m2" index="18" name="Area i bilden (m²)" />
  <alias field="plus_m2" index="19" name="Tillkommet (m²)" />
  <alias field="minus_m2" index="20" name="Bortfallet (m²)" />
  <alias field="length_m" index="21" name="Längd (m)" />
  <alias field="iou" index="22" name="Överlappning karta–bild (IoU)" />
  <alias field="iou_aligned" index="23" name="IoU efter inpassning" />
  <alias field="shift_dx_m" index="24" name="Förskjutning öst (m)" />
  <alias field="shift_dy_m" index="25" name="Förskjutning norr (m)" />
  <alias field="tolerance_m" index="26" name="Tolerans (m)" />
  <alias field="policy_group" index="27" name="Policygrupp" />
  <alias field="p_mean" index="28" name="Sannolikhet, medel" />
  <alias field="p_q10" index="29" name="Sannolikhet, 10-percentil" />
  <alias field="p_q90" index="30" name="Sannolikhet, 90-percentil" />
  <alias field="confidence" index="31" name="Säkerhet" />
  <alias field="priority" index="32" name="Prioritet (störst först)" />
  <alias field="visible_share" index="33" name="Synlig andel" />
  <alias field="near_edge" index="34" name="Vid bildens kant" />
  <alias field="reason" index="35" name="Motivering" />
  <alias field="flight_id" index="36" name="Flygning" />
  <alias field="photo_date" index="37" name="Fotodatum" />
  <alias field="stac_item" index="38" name="Bildruta" />
  <alias field="gsd_m" index="39" name="Pixelstorlek (m)" />
  <alias field="model_id" index="40" name="Modell" />
  <alias field="config_hash" index="41" name="Inställningar" />
  <alias field="map_snapshot" index="42" name="Kartans version" />
  <alias field="run_id" index="43" name="Körning" />
  <alias field="known" index="44" name="Redan känt beslut" />
  <alias field="status" index="45" name="Granskning" />
  <alias field="reject_reason" index="46" name="Orsak till avvisning" />
  <alias field="field_visit" index="47" name="Kräver fältbesök" />
  <alias field="comment" index="48" name="Kommentar" />
  <alias field="reviewed_by" index="49" name="Granskad av" />
  <alias field="reviewed_at" index="50" name="Granskad när (UTC)" />
  <alias field="chip" index="51" name="Bildutsnitt" />
 </aliases>
 <editable>
  <field name="fid" editable="0" />
  <field name="discrepancy_id" editable="0" />
  <field name="class" editable="0" />
  <field name="family" editable="0" />
  <field name="theme" editable="0" />
  <field name="cause" editable="0" />
  <field name="cardinality" editable="0" />
  <field name="lifecycle" editable="0" />
  <field name="first_seen" editable="0" />
  <field name="last_seen" editable="0" />
  <field name="n_seen" editable="0" />
  <field name="reopened_because" editable="0" />
  <field name="reopened_at" editable="0" />
  <field name="map_object_ids" editable="0" />
  <field name="map_date" editable="0" />
  <field name="map_status" editable="0" />
  <field name="map_sigma_m" editable="0" />
  <field name="area_map_m2" editable="0" />
  <field name="area_image_m2" editable="0" />
  <field name="plus_m2" editable="0" />
  <field name="minus_m2" editable="0" />
  <field name="length_m" editable="0" />
  <field name="iou" editable="0" />
  <field name="iou_aligned" editable="0" />
  <field name="shift_dx_m" editable="0" />
  <field name="shift_dy_m" editable="0" />
  <field name="tolerance_m" editable="0" />
  <field name="policy_group" editable="0" />
  <field name="p_mean" editable="0" />
  <field name="p_q10" editable="0" />
  <field name="p_q90" editable="0" />
  <field name="confidence" editable="0" />
  <field name="priority" editable="0" />
  <field name="visible_share" editable="0" />
  <field name="near_edge" editable="0" />
  <field name="reason" editable="0" />
  <field name="flight_id" editable="0" />
  <field name="photo_date" editable="0" />
  <field name="stac_item" editable="0" />
  <field name="gsd_m" editable="0" />
  <field name="model_id" editable="0" />
  <field name="config_hash" editable="0" />
  <field name="map_snapshot" editable="0" />
  <field name="run_id" editable="0" />
  <field name="known" editable="0" />
  <field name="status" editable="1" />
  <field name="reject_reason" editable="1" />
  <field name="field_visit" editable="1" />
  <field name="comment" editable="1" />
  <field name="reviewed_by" editable="0" />
  <field name="reviewed_at" editable="0" />
  <field name="chip" editable="0" />
 </editable>
 <labelOnTop>
  <field name="fid" labelOnTop="0" />
  <field name="discrepancy_id" labelOnTop="0" />
  <field name="class" labelOnTop="0" />
  <field name="family" labelOnTop="0" />
  <field name="theme" labelOnTop="0" />
  <field name="cause" labelOnTop="0" />
  <field name="cardinality" labelOnTop="0" />
  <field name="lifecycle" labelOnTop="0" />
  <field name="first_seen" labelOnTop="0" />
  <field name="last_seen" labelOnTop="0" />
  <field name="n_seen" labelOnTop="0" />
  <field name="reopened_because" labelOnTop="0" />
  <field name="reopened_at" labelOnTop="0" />
  <field name="map_object_ids" labelOnTop="0" />
  <field name="map_date" labelOnTop="0" />
  <field name="map_status" labelOnTop="0" />
  <field name="map_sigma_m" labelOnTop="0" />
  <field name="area_map_m2" labelOnTop="0" />
  <field name="area_image_m2" labelOnTop="0" />
  <field name="plus_m2" labelOnTop="0" />
  <field name="minus_m2" labelOnTop="0" />
  <field name="length_m" labelOnTop="0" />
  <field name="iou" labelOnTop="0" />
  <field name="iou_aligned" labelOnTop="0" />
  <field name="shift_dx_m" labelOnTop="0" />
  <field name="shift_dy_m" labelOnTop="0" />
  <field name="tolerance_m" labelOnTop="0" />
  <field name="policy_group" labelOnTop="0" />
  <field name="p_mean" labelOnTop="0" />
  <field name="p_q10" labelOnTop="0" />
  <field name="p_q90" labelOnTop="0" />
  <field name="confidence" labelOnTop="0" />
  <field name="priority" labelOnTop="0" />
  <field name="visible_share" labelOnTop="0" />
  <field name="near_edge" labelOnTop="0" />
  <field name="reason" labelOnTop="1" />
  <field name="flight_id" labelOnTop="0" />
  <field name="photo_date" labelOnTop="0" />
  <field name="stac_item" labelOnTop="0" />
  <field name="gsd_m" labelOnTop="0" />
  <field name="model_id" labelOnTop="0" />
  <field name="config_hash" labelOnTop="0" />
  <field name="map_snapshot" labelOnTop="0" />
  <field name="run_id" labelOnTop="0" />
  <field name="known" labelOnTop="0" />
  <field name="status" labelOnTop="0" />
  <field name="reject_reason" labelOnTop="0" />
  <field name="field_visit" labelOnTop="0" />
  <field name="comment" labelOnTop="1" />
  <field name="reviewed_by" labelOnTop="0" />
  <field name="reviewed_at" labelOnTop="0" />
  <field name="chip" labelOnTop="0" />
 </labelOnTop>
 <defaults>
  <default field="fid" expression="" applyOnUpdate="0" />
  <default field="discrepancy_id" expression="" applyOnUpdate="0" />
  <default field="class" expression="" applyOnUpdate="0" />
  <default field="family" expression="" applyOnUpdate="0" />
  <default field="theme" expression="" applyOnUpdate="0" />
  <default field="cause" expression="" applyOnUpdate="0" />
  <default field="cardinality" expression="" applyOnUpdate="0" />
  <default field="lifecycle" expression="" applyOnUpdate="0" />
  <default field="first_seen" expression="" applyOnUpdate="0" />
  <default field="last_seen" expression="" applyOnUpdate="0" />
  <default field="n_seen" expression="" applyOnUpdate="0" />
  <default field="reopened_because" expression="" applyOnUpdate="0" />
  <default field="reopened_at" expression="" applyOnUpdate="0" />
  <default field="map_object_ids" expression="" applyOnUpdate="0" />
  <default field="map_date" expression="" applyOnUpdate="0" />
  <default field="map_status" expression="" applyOnUpdate="0" />
  <default field="map_sigma_m" expression="" applyOnUpdate="0" />
  <default field="area_map_m2" expression="" applyOnUpdate="0" />
  <default field="area_image_m2" expression="" applyOnUpdate="0" />
  <default field="plus_m2" expression="" applyOnUpdate="0" />
  <default field="minus_m2" expression="" applyOnUpdate="0" />
  <default field="length_m" expression="" applyOnUpdate="0" />
  <default field="iou" expression="" applyOnUpdate="0" />
  <default field="iou_aligned" expression="" applyOnUpdate="0" />
  <default field="shift_dx_m" expression="" applyOnUpdate="0" />
  <default field="shift_dy_m" expression="" applyOnUpdate="0" />
  <default field="tolerance_m" expression="" applyOnUpdate="0" />
  <default field="policy_group" expression="" applyOnUpdate="0" />
  <default field="p_mean" expression="" applyOnUpdate="0" />
  <default field="p_q10" expression="" applyOnUpdate="0" />
  <default field="p_q90" expression="" applyOnUpdate="0" />
  <default field="confidence" expression="" applyOnUpdate="0" />
  <default field="priority" expression="" applyOnUpdate="0" />
  <default field="visible_share" expression="" applyOnUpdate="0" />
  <default field="near_edge" expression="" applyOnUpdate="0" />
  <default field="reason" expression="" applyOnUpdate="0" />
  <default field="flight_id" expression="" applyOnUpdate="0" />
  <default field="photo_date" expression="" applyOnUpdate="0" />
  <default field="stac_item" expression="" applyOnUpdate="0" />
  <default field="gsd_m" expression="" applyOnUpdate="0" />
  <default field="model_id" expression="" applyOnUpdate="0" />
  <default field="config_hash" expression="" applyOnUpdate="0" />
  <default field="map_snapshot" expression="" applyOnUpdate="0" />
  <default field="run_id" expression="" applyOnUpdate="0" />
  <default field="known" expression="" applyOnUpdate="0" />
  <default field="status" expression="'open'" applyOnUpdate="0" />
  <default field="reject_reason" expression="" applyOnUpdate="0" />
  <default field="field_visit" expression="false" applyOnUpdate="0" />
  <default field="comment" expression="" applyOnUpdate="0" />
  <default field="reviewed_by" expression="if(&quot;status&quot; = 'open', NULL, coalesce(nullif(@user_full_name, ''), @user_account_name))" applyOnUpdate="1" />
  <default field="reviewed_at" expression="if(&quot;status&quot; = 'open', NULL, with_variable('now', now(), to_datetime(format_date(datetime_from_epoch(2 * epoch(@now) - epoch(to_datetime(format_date(@now, 'yyyy-MM-ddTHH:mm:ss') || 'Z'))), 'yyyy-MM-ddTHH:mm:ss') || 'Z')))" applyOnUpdate="1" />
  <default field="chip" expression="" applyOnUpdate="0" />
 </defaults>
 <constraints>
  <constraint field="fid" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="discrepancy_id" constraints="3" notnull_strength="1" unique_strength="1" exp_strength="0" />
  <constraint field="class" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="family" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="theme" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="cause" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="cardinality" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="lifecycle" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="first_seen" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="last_seen" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="n_seen" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="reopened_because" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reopened_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="map_object_ids" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="map_date" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="map_status" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="map_sigma_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="area_map_m2" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="area_image_m2" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="plus_m2" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="minus_m2" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="length_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="iou" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="iou_aligned" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="shift_dx_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="shift_dy_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="tolerance_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="policy_group" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="p_mean" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="p_q10" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="p_q90" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="confidence" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="priority" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="visible_share" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="near_edge" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reason" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="flight_id" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="photo_date" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="stac_item" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="gsd_m" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="model_id" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="config_hash" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="map_snapshot" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="run_id" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="known" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="status" constraints="5" notnull_strength="1" unique_strength="0" exp_strength="1" />
  <constraint field="reject_reason" constraints="4" notnull_strength="0" unique_strength="0" exp_strength="2" />
  <constraint field="field_visit" constraints="1" notnull_strength="1" unique_strength="0" exp_strength="0" />
  <constraint field="comment" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reviewed_by" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="reviewed_at" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
  <constraint field="chip" constraints="0" notnull_strength="0" unique_strength="0" exp_strength="0" />
 </constraints>
 <constraintExpressions>
  <constraint field="fid" exp="" desc="" />
  <constraint field="discrepancy_id" exp="" desc="" />
  <constraint field="class" exp="" desc="" />
  <constraint field="family" exp="" desc="" />
  <constraint field="theme" exp="" desc="" />
  <constraint field="cause" exp="" desc="" />
  <constraint field="cardinality" exp="" desc="" />
  <constraint field="lifecycle" exp="" desc="" />
  <constraint field="first_seen" exp="" desc="" />
  <constraint field="last_seen" exp="" desc="" />
  <constraint field="n_seen" exp="" desc="" />
  <constraint field="reopened_because" exp="" desc="" />
  <constraint field="reopened_at" exp="" desc="" />
  <constraint field="map_object_ids" exp="" desc="" />
  <constraint field="map_date" exp="" desc="" />
  <constraint field="map_status" exp="" desc="" />
  <constraint field="map_sigma_m" exp="" desc="" />
  <constraint field="area_map_m2" exp="" desc="" />
  <constraint field="area_image_m2" exp="" desc="" />
  <constraint field="plus_m2" exp="" desc="" />
  <constraint field="minus_m2" exp="" desc="" />
  <constraint field="length_m" exp="" desc="" />
  <constraint field="iou" exp="" desc="" />
  <constraint field="iou_aligned" exp="" desc="" />
  <constraint field="shift_dx_m" exp="" desc="" />
  <constraint field="shift_dy_m" exp="" desc="" />
  <constraint field="tolerance_m" exp="" desc="" />
  <constraint field="policy_group" exp="" desc="" />
  <constraint field="p_mean" exp="" desc="" />
  <constraint field="p_q10" exp="" desc="" />
  <constraint field="p_q90" exp="" desc="" />
  <constraint field="confidence" exp="" desc="" />
  <constraint field="priority" exp="" desc="" />
  <constraint field="visible_share" exp="" desc="" />
  <constraint field="near_edge" exp="" desc="" />
  <constraint field="reason" exp="" desc="" />
  <constraint field="flight_id" exp="" desc="" />
  <constraint field="photo_date" exp="" desc="" />
  <constraint field="stac_item" exp="" desc="" />
  <constraint field="gsd_m" exp="" desc="" />
  <constraint field="model_id" exp="" desc="" />
  <constraint field="config_hash" exp="" desc="" />
  <constraint field="map_snapshot" exp="" desc="" />
  <constraint field="run_id" exp="" desc="" />
  <constraint field="known" exp="" desc="" />
  <constraint field="status" exp="&quot;status&quot; IN ('open', 'confirmed', 'rejected', 'fixed', 'unclear')" desc="Välj ett av värdena i listan" />
  <constraint field="reject_reason" exp="&quot;status&quot; &lt;&gt; 'rejected' OR &quot;reject_reason&quot; IS NOT NULL" desc="Ange gärna varför den avvisas" />
  <constraint field="field_visit" exp="" desc="" />
  <constraint field="comment" exp="" desc="" />
  <constraint field="reviewed_by" exp="" desc="" />
  <constraint field="reviewed_at" exp="" desc="" />
  <constraint field="chip" exp="" desc="" />
 </constraintExpressions>
 <attributetableconfig actionWidgetStyle="buttonList" sortExpression="&quot;priority&quot;" sortOrder="1">
  <columns>
   <column type="actions" hidden="0" width="420" />
   <column type="field" name="class" hidden="0" width="150" />
   <column type="field" name="status" hidden="0" width="130" />
   <column type="field" name="priority" hidden="0" width="70" />
   <column type="field" name="reason" hidden="0" width="520" />
   <column type="field" name="comment" hidden="0" width="220" />
   <column type="field" name="reject_reason" hidden="0" width="-1" />
   <column type="field" name="field_visit" hidden="0" width="-1" />
   <column type="field" name="reopened_because" hidden="0" width="-1" />
   <column type="field" name="area_map_m2" hidden="0" width="-1" />
   <column type="field" name="area_image_m2" hidden="0" width="-1" />
   <column type="field" name="plus_m2" hidden="0" width="-1" />
   <column type="field" name="minus_m2" hidden="0" width="-1" />
   <column type="field" name="length_m" hidden="0" width="-1" />
   <column type="field" name="p_mean" hidden="0" width="-1" />
   <column type="field" name="confidence" hidden="0" width="-1" />
   <column type="field" name="map_object_ids" hidden="0" width="-1" />
   <column type="field" name="reviewed_by" hidden="0" width="-1" />
   <column type="field" name="reviewed_at" hidden="0" width="-1" />
   <column type="field" name="photo_date" hidden="0" width="-1" />
   <column type="field" name="lifecycle" hidden="0" width="-1" />
   <column type="field" name="discrepancy_id" hidden="0" width="-1" />
   <column type="field" name="fid" hidden="1" width="-1" />
   <column type="field" name="family" hidden="1" width="-1" />
   <column type="field" name="theme" hidden="1" width="-1" />
   <column type="field" name="cause" hidden="1" width="-1" />
   <column type="field" name="cardinality" hidden="1" width="-1" />
   <column type="field" name="first_seen" hidden="1" width="-1" />
   <column type="field" name="last_seen" hidden="1" width="-1" />
   <column type="field" name="n_seen" hidden="1" width="-1" />
   <column type="field" name="reopened_at" hidden="1" width="-1" />
   <column type="field" name="map_date" hidden="1" width="-1" />
   <column type="field" name="map_status" hidden="1" width="-1" />
   <column type="field" name="map_sigma_m" hidden="1" width="-1" />
   <column type="field" name="iou" hidden="1" width="-1" />
   <column type="field" name="iou_aligned" hidden="1" width="-1" />
   <column type="field" name="shift_dx_m" hidden="1" width="-1" />
   <column type="field" name="shift_dy_m" hidden="1" width="-1" />
   <column type="field" name="tolerance_m" hidden="1" width="-1" />
   <column type="field" name="policy_group" hidden="1" width="-1" />
   <column type="field" name="p_q10" hidden="1" width="-1" />
   <column type="field" name="p_q90" hidden="1" width="-1" />
   <column type="field" name="visible_share" hidden="1" width="-1" />
   <column type="field" name="near_edge" hidden="1" width="-1" />
   <column type="field" name="flight_id" hidden="1" width="-1" />
   <column type="field" name="stac_item" hidden="1" width="-1" />
   <column type="field" name="gsd_m" hidden="1" width="-1" />
   <column type="field" name="model_id" hidden="1" width="-1" />
   <column type="field" name="config_hash" hidden="1" width="-1" />
   <column type="field" name="map_snapshot" hidden="1" width="-1" />
   <column type="field" name="run_id" hidden="1" width="-1" />
   <column type="field" name="known" hidden="1" width="-1" />
   <column type="field" name="chip" hidden="1" width="-1" />
  </columns>
 </attributetableconfig>
 <editorlayout>tablayout</editorlayout>
 <attributeEditorForm>
  <attributeEditorContainer name="Granskning" groupBox="0" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
   <attributeEditorContainer name="Beslut" groupBox="1" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
    <attributeEditorField name="class" index="2" showLabel="1" />
    <attributeEditorField name="reason" index="35" showLabel="1" />
    <attributeEditorField name="reopened_because" index="11" showLabel="1" />
    <attributeEditorField name="status" index="45" showLabel="1" />
    <attributeEditorField name="reject_reason" index="46" showLabel="1" />
    <attributeEditorField name="field_visit" index="47" showLabel="1" />
    <attributeEditorField name="comment" index="48" showLabel="1" />
    <attributeEditorAction name="{8ceba140-43b1-5e2d-a6bd-e5e66a8f29ee}" ActionUUID="{8ceba140-43b1-5e2d-a6bd-e5e66a8f29ee}" showLabel="0" />
    <attributeEditorAction name="{eadf69bc-afd0-5037-a780-943fa4ca20a4}" ActionUUID="{eadf69bc-afd0-5037-a780-943fa4ca20a4}" showLabel="0" />
    <attributeEditorAction name="{c93bee1d-870b-5736-92d5-8bde79c9d7c8}" ActionUUID="{c93bee1d-870b-5736-92d5-8bde79c9d7c8}" showLabel="0" />
    <attributeEditorAction name="{9d515fe8-8400-59ab-9d95-0c4c72a4669e}" ActionUUID="{9d515fe8-8400-59ab-9d95-0c4c72a4669e}" showLabel="0" />
    <attributeEditorAction name="{4fe10c6a-a895-5c0f-bbed-e6183ec94858}" ActionUUID="{4fe10c6a-a895-5c0f-bbed-e6183ec94858}" showLabel="0" />
   </attributeEditorContainer>
   <attributeEditorContainer name="Bild" groupBox="1" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
    <attributeEditorContainer name="html" groupBox="1" columnCount="1" showLabel="0" visibilityExpressionEnabled="1" visibilityExpression="@qgis_version_no &lt; 33000" collapsed="0">
     <attributeEditorHtmlElement name="chip_html" showLabel="0">&lt;script&gt;document.write('&lt;img height="240" src="data:image/jpeg;base64,'+expression.evaluate("to_base64(\"chip\")")+'"/&gt;');&lt;/script&gt;</attributeEditorHtmlElement>
    </attributeEditorContainer>
    <attributeEditorContainer name="text" groupBox="1" columnCount="1" showLabel="0" visibilityExpressionEnabled="1" visibilityExpression="@qgis_version_no &gt;= 33000" collapsed="0">
     <attributeEditorTextElement name="chip_text" showLabel="0">&lt;img height="240" src="data:image/jpeg;base64,[% to_base64("chip") %]"/&gt;</attributeEditorTextElement>
    </attributeEditorContainer>
   </attributeEditorContainer>
   <attributeEditorContainer name="Vem och när" groupBox="1" columnCount="1" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
    <attributeEditorField name="reviewed_by" index="49" showLabel="1" />
    <attributeEditorField name="reviewed_at" index="50" showLabel="1" />
   </attributeEditorContainer>
  </attributeEditorContainer>
  <attributeEditorContainer name="Underlag" groupBox="0" columnCount="2" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
   <attributeEditorField name="family" index="3" showLabel="1" />
   <attributeEditorField name="theme" index="4" showLabel="1" />
   <attributeEditorField name="cause" index="5" showLabel="1" />
   <attributeEditorField name="cardinality" index="6" showLabel="1" />
   <attributeEditorField name="map_object_ids" index="13" showLabel="1" />
   <attributeEditorField name="map_date" index="14" showLabel="1" />
   <attributeEditorField name="map_status" index="15" showLabel="1" />
   <attributeEditorField name="map_sigma_m" index="16" showLabel="1" />
   <attributeEditorField name="area_map_m2" index="17" showLabel="1" />
   <attributeEditorField name="area_image_m2" index="18" showLabel="1" />
   <attributeEditorField name="plus_m2" index="19" showLabel="1" />
   <attributeEditorField name="minus_m2" index="20" showLabel="1" />
   <attributeEditorField name="length_m" index="21" showLabel="1" />
   <attributeEditorField name="iou" index="22" showLabel="1" />
   <attributeEditorField name="iou_aligned" index="23" showLabel="1" />
   <attributeEditorField name="shift_dx_m" index="24" showLabel="1" />
   <attributeEditorField name="shift_dy_m" index="25" showLabel="1" />
   <attributeEditorField name="tolerance_m" index="26" showLabel="1" />
   <attributeEditorField name="policy_group" index="27" showLabel="1" />
   <attributeEditorField name="p_mean" index="28" showLabel="1" />
   <attributeEditorField name="p_q10" index="29" showLabel="1" />
   <attributeEditorField name="p_q90" index="30" showLabel="1" />
   <attributeEditorField name="confidence" index="31" showLabel="1" />
   <attributeEditorField name="priority" index="32" showLabel="1" />
   <attributeEditorField name="visible_share" index="33" showLabel="1" />
   <attributeEditorField name="near_edge" index="34" showLabel="1" />
  </attributeEditorContainer>
  <attributeEditorContainer name="Ursprung" groupBox="0" columnCount="2" showLabel="1" visibilityExpressionEnabled="0" visibilityExpression="" collapsed="0">
   <attributeEditorField name="discrepancy_id" index="1" showLabel="1" />
   <attributeEditorField name="lifecycle" index="7" showLabel="1" />
   <attributeEditorField name="first_seen" index="8" showLabel="1" />
   <attributeEditorField name="last_seen" index="9" showLabel="1" />
   <attributeEditorField name="n_seen" index="10" showLabel="1" />
   <attributeEditorField name="reopened_at" index="12" showLabel="1" />
   <attributeEditorField name="flight_id" index="36" showLabel="1" />
   <attributeEditorField name="photo_date" index="37" showLabel="1" />
   <attributeEditorField name="stac_item" index="38" showLabel="1" />
   <attributeEditorField name="gsd_m" index="39" showLabel="1" />
   <attributeEditorField name="model_id" index="40" showLabel="1" />
   <attributeEditorField name="config_hash" index="41" showLabel="1" />
   <attributeEditorField name="map_snapshot" index="42" showLabel="1" />
   <attributeEditorField name="run_id" index="43" showLabel="1" />
  </attributeEditorContainer>
 </attributeEditorForm>
 <layerGeometryType>2</layerGeometryType>
 <renderer-v2 type="categorizedSymbol" attr="class" forceraster="0" symbollevels="0" enableorderby="1" referencescale="-1">
  <categories>
   <category symbol="0" value="missing" label="Saknas i kartan" render="true" type="string" />
   <category symbol="1" value="demolished" label="Riven" render="true" type="string" />
   <category symbol="2" value="obsolete" label="Föråldrad" render="true" type="string" />
   <category symbol="3" value="extended" label="Tillbyggd" render="true" type="string" />
   <category symbol="4" value="reduced" label="Delvis riven" render="true" type="string" />
   <category symbol="5" value="reshaped" label="Ändrad form" render="true" type="string" />
   <category symbol="6" value="replaced" label="Ersatt" render="true" type="string" />
   <category symbol="7" value="moved" label="Flyttad" render="true" type="string" />
   <category symbol="8" value="planned_built" label="Planerad, nu byggd" render="true" type="string" />
   <category symbol="9" value="uncertain_absence" label="Syns inte, osäkert" render="true" type="string" />
   <category symbol="10" value="split" label="Delad" render="true" type="string" />
   <category symbol="11" value="merged" label="Sammanbyggd" render="true" type="string" />
   <category symbol="12" value="recomposed" label="Annan indelning" render="true" type="string" />
   <category symbol="13" value="class_mismatch" label="Annan objekttyp" render="true" type="string" />
   <category symbol="14" value="duplicate_in_map" label="Dubblett i kartan" render="true" type="string" />
   <category symbol="15" value="not_assessable" label="Kan ej bedömas" render="true" type="string" />
   <category symbol="16" value="below_min" label="Under minsta area" render="false" type="string" />
   <category symbol="17" value="confirmed" label="Stämmer" render="false" type="string" />
  </categories>
  <symbols>
   <symbol name="0" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="45" />
      <Option name="color" type="QString" value="213,94,0,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="45" />
     <prop k="color" v="213,94,0,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@0@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="213,94,0,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="213,94,0,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="213,94,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="213,94,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="213,94,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="213,94,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="1" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="135" />
      <Option name="color" type="QString" value="204,121,167,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="135" />
     <prop k="color" v="204,121,167,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@1@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="204,121,167,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="204,121,167,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="2" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="135" />
      <Option name="color" type="QString" value="0,114,178,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="135" />
     <prop k="color" v="0,114,178,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@2@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,114,178,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,114,178,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,114,178,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,114,178,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,114,178,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,114,178,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="3" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="0" />
      <Option name="color" type="QString" value="230,159,0,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="0" />
     <prop k="color" v="230,159,0,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@3@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="230,159,0,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="230,159,0,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="230,159,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="230,159,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="230,159,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="230,159,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="4" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="90" />
      <Option name="color" type="QString" value="0,114,178,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="90" />
     <prop k="color" v="0,114,178,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@4@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,114,178,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,114,178,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,114,178,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,114,178,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,114,178,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,114,178,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="5" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="45" />
      <Option name="color" type="QString" value="0,158,115,255" />
      <Option name="distance" type="QString" value="3.6" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="45" />
     <prop k="color" v="0,158,115,255" />
     <prop k="distance" v="3.6" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@5@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,158,115,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,158,115,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="135" />
      <Option name="color" type="QString" value="0,158,115,255" />
      <Option name="distance" type="QString" value="3.6" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="135" />
     <prop k="color" v="0,158,115,255" />
     <prop k="distance" v="3.6" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@5@1" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,158,115,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,158,115,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,158,115,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,158,115,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,158,115,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,158,115,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="6" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="0" />
      <Option name="color" type="QString" value="213,94,0,255" />
      <Option name="distance" type="QString" value="3.6" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="0" />
     <prop k="color" v="213,94,0,255" />
     <prop k="distance" v="3.6" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@6@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="213,94,0,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="213,94,0,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="90" />
      <Option name="color" type="QString" value="213,94,0,255" />
      <Option name="distance" type="QString" value="3.6" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="90" />
     <prop k="color" v="213,94,0,255" />
     <prop k="distance" v="3.6" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@6@1" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="213,94,0,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="213,94,0,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="213,94,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="213,94,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="213,94,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="213,94,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="7" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="45" />
      <Option name="color" type="QString" value="86,180,233,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="45" />
     <prop k="color" v="86,180,233,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@7@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="86,180,233,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="86,180,233,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="86,180,233,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="86,180,233,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="86,180,233,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="86,180,233,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="8" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="45" />
      <Option name="color" type="QString" value="240,228,66,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="45" />
     <prop k="color" v="240,228,66,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@8@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="240,228,66,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="240,228,66,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="240,228,66,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="240,228,66,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="240,228,66,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="240,228,66,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="9" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="0" />
      <Option name="color" type="QString" value="204,121,167,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="0" />
     <prop k="color" v="204,121,167,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@9@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="204,121,167,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="204,121,167,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="204,121,167,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="204,121,167,255" />
      <Option name="outline_style" type="QString" value="dash" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="204,121,167,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="204,121,167,255" />
     <prop k="outline_style" v="dash" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 70 ELSE 24.5 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="10" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="90" />
      <Option name="color" type="QString" value="86,180,233,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="90" />
     <prop k="color" v="86,180,233,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@10@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="86,180,233,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="86,180,233,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="86,180,233,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="86,180,233,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="86,180,233,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="86,180,233,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="11" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="0" />
      <Option name="color" type="QString" value="86,180,233,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="0" />
     <prop k="color" v="86,180,233,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@11@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="86,180,233,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="86,180,233,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="86,180,233,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="86,180,233,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="86,180,233,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="86,180,233,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="12" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="0" />
      <Option name="color" type="QString" value="0,158,115,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="0" />
     <prop k="color" v="0,158,115,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@12@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,158,115,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,158,115,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,158,115,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,158,115,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,158,115,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,158,115,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="13" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="135" />
      <Option name="color" type="QString" value="240,228,66,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="135" />
     <prop k="color" v="240,228,66,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@13@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="240,228,66,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="240,228,66,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="240,228,66,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="240,228,66,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="240,228,66,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="240,228,66,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="14" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="45" />
      <Option name="color" type="QString" value="0,0,0,255" />
      <Option name="distance" type="QString" value="3.6" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="45" />
     <prop k="color" v="0,0,0,255" />
     <prop k="distance" v="3.6" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@14@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,0,0,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,0,0,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="135" />
      <Option name="color" type="QString" value="0,0,0,255" />
      <Option name="distance" type="QString" value="3.6" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="135" />
     <prop k="color" v="0,0,0,255" />
     <prop k="distance" v="3.6" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@14@1" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="0,0,0,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="0,0,0,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,0,0,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,0,0,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,0,0,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,0,0,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 100 ELSE 35 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="15" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="0" />
      <Option name="color" type="QString" value="140,140,140,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="0" />
     <prop k="color" v="140,140,140,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@15@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="140,140,140,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="140,140,140,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="140,140,140,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="140,140,140,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="140,140,140,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="140,140,140,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 50 ELSE 17.5 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="16" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="LinePatternFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="angle" type="QString" value="45" />
      <Option name="color" type="QString" value="140,140,140,255" />
      <Option name="distance" type="QString" value="2.4" />
      <Option name="distance_unit" type="QString" value="MM" />
      <Option name="line_width" type="QString" value="0.3" />
      <Option name="line_width_unit" type="QString" value="MM" />
      <Option name="offset" type="QString" value="0" />
      <Option name="offset_unit" type="QString" value="MM" />
      <Option name="outline_width_unit" type="QString" value="MM" />
     </Option>
     <prop k="angle" v="45" />
     <prop k="color" v="140,140,140,255" />
     <prop k="distance" v="2.4" />
     <prop k="distance_unit" v="MM" />
     <prop k="line_width" v="0.3" />
     <prop k="line_width_unit" v="MM" />
     <prop k="offset" v="0" />
     <prop k="offset_unit" v="MM" />
     <prop k="outline_width_unit" v="MM" />
     <symbol name="@16@0" type="line" alpha="1" clip_to_extent="1" force_rhr="0">
      <layer class="SimpleLine" enabled="1" locked="0" pass="0">
       <Option type="Map">
        <Option name="line_color" type="QString" value="140,140,140,255" />
        <Option name="line_width" type="QString" value="0.3" />
        <Option name="line_width_unit" type="QString" value="MM" />
        <Option name="line_style" type="QString" value="solid" />
        <Option name="capstyle" type="QString" value="square" />
        <Option name="joinstyle" type="QString" value="bevel" />
        <Option name="use_custom_dash" type="QString" value="0" />
       </Option>
       <prop k="line_color" v="140,140,140,255" />
       <prop k="line_width" v="0.3" />
       <prop k="line_width_unit" v="MM" />
       <prop k="line_style" v="solid" />
       <prop k="capstyle" v="square" />
       <prop k="joinstyle" v="bevel" />
       <prop k="use_custom_dash" v="0" />
      </layer>
     </symbol>
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="26,26,26,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="26,26,26,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="26,26,26,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="26,26,26,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="140,140,140,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="140,140,140,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="140,140,140,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="140,140,140,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 50 ELSE 17.5 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
   <symbol name="17" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="255,255,255,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="255,255,255,190" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="1.2" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="255,255,255,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="255,255,255,190" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="1.2" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="color" type="QString" value="0,158,115,0" />
      <Option name="style" type="QString" value="no" />
      <Option name="outline_color" type="QString" value="0,158,115,255" />
      <Option name="outline_style" type="QString" value="solid" />
      <Option name="outline_width" type="QString" value="0.7" />
      <Option name="outline_width_unit" type="QString" value="MM" />
      <Option name="joinstyle" type="QString" value="miter" />
      <Option name="offset" type="QString" value="0,0" />
      <Option name="offset_unit" type="QString" value="MM" />
     </Option>
     <prop k="color" v="0,158,115,0" />
     <prop k="style" v="no" />
     <prop k="outline_color" v="0,158,115,255" />
     <prop k="outline_style" v="solid" />
     <prop k="outline_width" v="0.7" />
     <prop k="outline_width_unit" v="MM" />
     <prop k="joinstyle" v="miter" />
     <prop k="offset" v="0,0" />
     <prop k="offset_unit" v="MM" />
    </layer>
    <data_defined_properties>
     <Option type="Map">
      <Option name="name" type="QString" value="" />
      <Option name="properties" type="Map">
       <Option name="alpha" type="Map">
        <Option name="active" type="bool" value="true" />
        <Option name="expression" type="QString" value="CASE WHEN &quot;status&quot; IN ('open', 'unclear') OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL) THEN 50 ELSE 17.5 END" />
        <Option name="type" type="int" value="3" />
       </Option>
      </Option>
      <Option name="type" type="QString" value="collection" />
     </Option>
    </data_defined_properties>
   </symbol>
  </symbols>
  <orderby>
   <orderByClause asc="1" nullsFirst="1">"priority"</orderByClause>
  </orderby>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="represent_value(&quot;class&quot;) || '\n' || coalesce(round(&quot;length_m&quot;) || ' m', round($area) || ' m²')" isExpression="1" fontSize="8" fontSizeUnit="Point" fontWeight="63" textColor="0,0,0,255" textOpacity="1" multilineHeight="1">
    <text-buffer bufferDraw="1" bufferSize="0.9" bufferSizeUnits="MM" bufferColor="255,255,255,230" bufferOpacity="1" bufferJoinStyle="128" />
   </text-style>
   <text-format wrapChar="" autoWrapLength="0" multilineAlign="1" />
   <placement placement="8" dist="1" distUnits="MM" priority="5" polygonPlacementFlags="2" placementFlags="10" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="1500" drawLabels="1" obstacle="1" obstacleFactor="1" obstacleType="0" upsidedownLabels="0" />
  </settings>
 </labeling>
 <conditionalstyles>
  <rowstyles>
   <style rule="&quot;status&quot; = 'confirmed' AND NOT coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)" name="confirmed" background_color="#d9f2d9" text_color="#000000" icon="" background_color_alpha="255" text_color_alpha="255" />
   <style rule="&quot;status&quot; = 'rejected' AND NOT coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)" name="rejected" background_color="#eeeeee" text_color="#888888" icon="" background_color_alpha="255" text_color_alpha="255" />
   <style rule="&quot;status&quot; = 'fixed' AND NOT coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)" name="fixed" background_color="#d6e6f5" text_color="#000000" icon="" background_color_alpha="255" text_color_alpha="255" />
   <style rule="&quot;status&quot; = 'unclear' AND NOT coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)" name="unclear" background_color="#fff4cc" text_color="#000000" icon="" background_color_alpha="255" text_color_alpha="255" />
  </rowstyles>
  <fieldstyles />
 </conditionalstyles>
 <attributeactions>
  <defaultAction key="Canvas" value="{8ceba140-43b1-5e2d-a6bd-e5e66a8f29ee}" />
  <actionsetting id="{8ceba140-43b1-5e2d-a6bd-e5e66a8f29ee}" type="1" name="Bekräfta" shortTitle="Bekräfta" icon="" capture="0" isEnabledOnlyWhenEditable="0" notificationMessage="" action="&quot;&quot;&quot;What the buttons of the review do. This text goes into the style and runs in QGIS's Python (3.9 and later).&#10;&#10;It knows nothing of geoai; `actions` adds the words, the rows that wait and the call.&#10;&quot;&quot;&quot;&#10;&#10;from typing import Any&#10;&#10;from qgis.core import Qgis, QgsDataSourceUri, QgsFeatureRequest, QgsProject, QgsValueMapFieldFormatter&#10;from qgis.PyQt.QtWidgets import QInputDialog&#10;from qgis.utils import iface&#10;&#10;WORDS: dict[str, str] = {}  # in the review's language&#10;WAITING = &quot;&quot;  # expression: the rows that wait for a decision&#10;CONTEXT, CLOSEST = 3, 500  # a signal fills a third of the canvas, at 1:500 at the most&#10;&#10;&#10;def decide(layer: Any, fid: int, status: str, reason: Any = None) -&gt; None:&#10;    &quot;&quot;&quot;Write a decision and go on; saved at once, unless the reviewer is editing the layer herself.&quot;&quot;&quot;&#10;    own = not layer.isEditable() and layer.startEditing()&#10;    fields = layer.fields()&#10;    layer.beginEditCommand(WORDS[&quot;review&quot;])&#10;    layer.changeAttributeValues(&#10;        fid, {fields.indexOf(&quot;status&quot;): status, fields.indexOf(&quot;reject_reason&quot;): reason}&#10;    )&#10;    layer.endEditCommand()&#10;    if own and not layer.commitChanges():&#10;        tell(&quot;; &quot;.join(layer.commitErrors()))&#10;        return  # the decision stays in the layer's edits: saving again is enough&#10;    go_on(layer, fid)&#10;&#10;&#10;def reject(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Ask for the reason, then reject; nothing is written where the question is cancelled.&quot;&quot;&quot;&#10;    setup = layer.editorWidgetSetup(layer.fields().indexOf(&quot;reject_reason&quot;))&#10;    reasons = {words: code for choice in setup.config()[&quot;map&quot;] for words, code in choice.items()}&#10;    parent = iface.mainWindow() if iface else None&#10;    words, sure = QInputDialog.getItem(parent, WORDS[&quot;review&quot;], WORDS[&quot;why&quot;], list(reasons), 0, False)&#10;    if sure:&#10;        unknown = reasons[words] == QgsValueMapFieldFormatter.NULL_VALUE&#10;        decide(layer, fid, &quot;rejected&quot;, None if unknown else reasons[words])&#10;&#10;&#10;def go_on(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Select and show the signal that waits after *fid*, by priority; after the last comes the first.&quot;&quot;&quot;&#10;    request = QgsFeatureRequest().setFilterExpression(f&quot;({WAITING}) OR $id = {fid}&quot;)&#10;    request.setSubsetOfAttributes([&quot;priority&quot;], layer.fields()).setFlags(QgsFeatureRequest.NoGeometry)&#10;    request.addOrderBy('&quot;priority&quot;', False, False)&#10;    request.addOrderBy(&quot;$id&quot;)&#10;    fids = [row.id() for row in layer.getFeatures(request)]&#10;    at = fids.index(fid) if fid in fids else -1&#10;    following = fids[at + 1 :] + fids[: max(at, 0)]&#10;    layer.selectByIds(following[:1])&#10;    if not following:&#10;        tell(WORDS[&quot;done&quot;])&#10;    elif iface:&#10;        canvas = iface.mapCanvas()&#10;        box = layer.getFeature(following[0]).geometry().boundingBox()&#10;        box.scale(CONTEXT)&#10;        canvas.setExtent(canvas.mapSettings().layerToMapCoordinates(layer, box))&#10;        if canvas.scale() &lt; CLOSEST:&#10;            canvas.zoomScale(CLOSEST)&#10;        canvas.refresh()&#10;        canvas.flashFeatureIds(layer, following[:1])&#10;&#10;&#10;def copy_suggestion(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Put the outline that is suggested for the signal on the clipboard: Ctrl+V in the map's layer.&quot;&quot;&quot;&#10;    key = layer.getFeature(fid)[&quot;discrepancy_id&quot;]&#10;    layers = QgsProject.instance().mapLayers().values()&#10;    for outlines in [each for each in layers if holds_suggestions(each)]:&#10;        outlines.selectByExpression(f&quot;\&quot;discrepancy_id\&quot; = '{key}'&quot;)&#10;        if outlines.selectedFeatureCount():&#10;            iface.copySelectionToClipboard(outlines)&#10;            tell(WORDS[&quot;copied&quot;], Qgis.Success)&#10;            return&#10;    tell(WORDS[&quot;no_suggestion&quot;])&#10;&#10;&#10;def holds_suggestions(layer: Any) -&gt; bool:&#10;    &quot;&quot;&quot;Return whether a layer shows the table of suggestions, in a GeoPackage or in PostGIS.&quot;&quot;&quot;&#10;    if layer.providerType() == &quot;postgres&quot;:&#10;        return bool(QgsDataSourceUri(layer.source()).table() == &quot;suggestion&quot;)&#10;    return &quot;layername=suggestion&quot; in layer.source().split(&quot;|&quot;)&#10;&#10;&#10;def tell(text: str, level: Any = Qgis.Warning) -&gt; None:&#10;    &quot;&quot;&quot;Say it in the message bar, where there is one.&quot;&quot;&quot;&#10;    if iface:&#10;        iface.messageBar().pushMessage(WORDS[&quot;review&quot;], text, level, 6)&#10;&#10;WORDS.update({'confirm': 'Bekräfta', 'reject': 'Avvisa …', 'unclear': 'Oklar', 'next': 'Nästa', 'suggestion': 'Kopiera förslag', 'review': 'Granskning', 'why': 'Varför avvisas den?', 'done': 'Inget kvar att granska.', 'copied': 'Förslaget ligger i urklipp: klistra in det (Ctrl+V) i kartans lager.', 'no_suggestion': 'Avvikelsen har inget förslag.'})&#10;WAITING = '(&quot;status&quot; = \'open\' OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)) AND &quot;lifecycle&quot; &lt;&gt; \'gone\' AND &quot;policy_group&quot; IS NULL AND &quot;class&quot; NOT IN (\'below_min\', \'not_assessable\', \'confirmed\')'&#10;decide(QgsProject.instance().mapLayer('[% @layer_id %]'), [% $id %], 'confirmed')&#10;">
   <actionScope id="Canvas" />
   <actionScope id="Feature" />
  </actionsetting>
  <actionsetting id="{eadf69bc-afd0-5037-a780-943fa4ca20a4}" type="1" name="Avvisa …" shortTitle="Avvisa …" icon="" capture="0" isEnabledOnlyWhenEditable="0" notificationMessage="" action="&quot;&quot;&quot;What the buttons of the review do. This text goes into the style and runs in QGIS's Python (3.9 and later).&#10;&#10;It knows nothing of geoai; `actions` adds the words, the rows that wait and the call.&#10;&quot;&quot;&quot;&#10;&#10;from typing import Any&#10;&#10;from qgis.core import Qgis, QgsDataSourceUri, QgsFeatureRequest, QgsProject, QgsValueMapFieldFormatter&#10;from qgis.PyQt.QtWidgets import QInputDialog&#10;from qgis.utils import iface&#10;&#10;WORDS: dict[str, str] = {}  # in the review's language&#10;WAITING = &quot;&quot;  # expression: the rows that wait for a decision&#10;CONTEXT, CLOSEST = 3, 500  # a signal fills a third of the canvas, at 1:500 at the most&#10;&#10;&#10;def decide(layer: Any, fid: int, status: str, reason: Any = None) -&gt; None:&#10;    &quot;&quot;&quot;Write a decision and go on; saved at once, unless the reviewer is editing the layer herself.&quot;&quot;&quot;&#10;    own = not layer.isEditable() and layer.startEditing()&#10;    fields = layer.fields()&#10;    layer.beginEditCommand(WORDS[&quot;review&quot;])&#10;    layer.changeAttributeValues(&#10;        fid, {fields.indexOf(&quot;status&quot;): status, fields.indexOf(&quot;reject_reason&quot;): reason}&#10;    )&#10;    layer.endEditCommand()&#10;    if own and not layer.commitChanges():&#10;        tell(&quot;; &quot;.join(layer.commitErrors()))&#10;        return  # the decision stays in the layer's edits: saving again is enough&#10;    go_on(layer, fid)&#10;&#10;&#10;def reject(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Ask for the reason, then reject; nothing is written where the question is cancelled.&quot;&quot;&quot;&#10;    setup = layer.editorWidgetSetup(layer.fields().indexOf(&quot;reject_reason&quot;))&#10;    reasons = {words: code for choice in setup.config()[&quot;map&quot;] for words, code in choice.items()}&#10;    parent = iface.mainWindow() if iface else None&#10;    words, sure = QInputDialog.getItem(parent, WORDS[&quot;review&quot;], WORDS[&quot;why&quot;], list(reasons), 0, False)&#10;    if sure:&#10;        unknown = reasons[words] == QgsValueMapFieldFormatter.NULL_VALUE&#10;        decide(layer, fid, &quot;rejected&quot;, None if unknown else reasons[words])&#10;&#10;&#10;def go_on(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Select and show the signal that waits after *fid*, by priority; after the last comes the first.&quot;&quot;&quot;&#10;    request = QgsFeatureRequest().setFilterExpression(f&quot;({WAITING}) OR $id = {fid}&quot;)&#10;    request.setSubsetOfAttributes([&quot;priority&quot;], layer.fields()).setFlags(QgsFeatureRequest.NoGeometry)&#10;    request.addOrderBy('&quot;priority&quot;', False, False)&#10;    request.addOrderBy(&quot;$id&quot;)&#10;    fids = [row.id() for row in layer.getFeatures(request)]&#10;    at = fids.index(fid) if fid in fids else -1&#10;    following = fids[at + 1 :] + fids[: max(at, 0)]&#10;    layer.selectByIds(following[:1])&#10;    if not following:&#10;        tell(WORDS[&quot;done&quot;])&#10;    elif iface:&#10;        canvas = iface.mapCanvas()&#10;        box = layer.getFeature(following[0]).geometry().boundingBox()&#10;        box.scale(CONTEXT)&#10;        canvas.setExtent(canvas.mapSettings().layerToMapCoordinates(layer, box))&#10;        if canvas.scale() &lt; CLOSEST:&#10;            canvas.zoomScale(CLOSEST)&#10;        canvas.refresh()&#10;        canvas.flashFeatureIds(layer, following[:1])&#10;&#10;&#10;def copy_suggestion(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Put the outline that is suggested for the signal on the clipboard: Ctrl+V in the map's layer.&quot;&quot;&quot;&#10;    key = layer.getFeature(fid)[&quot;discrepancy_id&quot;]&#10;    layers = QgsProject.instance().mapLayers().values()&#10;    for outlines in [each for each in layers if holds_suggestions(each)]:&#10;        outlines.selectByExpression(f&quot;\&quot;discrepancy_id\&quot; = '{key}'&quot;)&#10;        if outlines.selectedFeatureCount():&#10;            iface.copySelectionToClipboard(outlines)&#10;            tell(WORDS[&quot;copied&quot;], Qgis.Success)&#10;            return&#10;    tell(WORDS[&quot;no_suggestion&quot;])&#10;&#10;&#10;def holds_suggestions(layer: Any) -&gt; bool:&#10;    &quot;&quot;&quot;Return whether a layer shows the table of suggestions, in a GeoPackage or in PostGIS.&quot;&quot;&quot;&#10;    if layer.providerType() == &quot;postgres&quot;:&#10;        return bool(QgsDataSourceUri(layer.source()).table() == &quot;suggestion&quot;)&#10;    return &quot;layername=suggestion&quot; in layer.source().split(&quot;|&quot;)&#10;&#10;&#10;def tell(text: str, level: Any = Qgis.Warning) -&gt; None:&#10;    &quot;&quot;&quot;Say it in the message bar, where there is one.&quot;&quot;&quot;&#10;    if iface:&#10;        iface.messageBar().pushMessage(WORDS[&quot;review&quot;], text, level, 6)&#10;&#10;WORDS.update({'confirm': 'Bekräfta', 'reject': 'Avvisa …', 'unclear': 'Oklar', 'next': 'Nästa', 'suggestion': 'Kopiera förslag', 'review': 'Granskning', 'why': 'Varför avvisas den?', 'done': 'Inget kvar att granska.', 'copied': 'Förslaget ligger i urklipp: klistra in det (Ctrl+V) i kartans lager.', 'no_suggestion': 'Avvikelsen har inget förslag.'})&#10;WAITING = '(&quot;status&quot; = \'open\' OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)) AND &quot;lifecycle&quot; &lt;&gt; \'gone\' AND &quot;policy_group&quot; IS NULL AND &quot;class&quot; NOT IN (\'below_min\', \'not_assessable\', \'confirmed\')'&#10;reject(QgsProject.instance().mapLayer('[% @layer_id %]'), [% $id %])&#10;">
   <actionScope id="Canvas" />
   <actionScope id="Feature" />
  </actionsetting>
  <actionsetting id="{c93bee1d-870b-5736-92d5-8bde79c9d7c8}" type="1" name="Oklar" shortTitle="Oklar" icon="" capture="0" isEnabledOnlyWhenEditable="0" notificationMessage="" action="&quot;&quot;&quot;What the buttons of the review do. This text goes into the style and runs in QGIS's Python (3.9 and later).&#10;&#10;It knows nothing of geoai; `actions` adds the words, the rows that wait and the call.&#10;&quot;&quot;&quot;&#10;&#10;from typing import Any&#10;&#10;from qgis.core import Qgis, QgsDataSourceUri, QgsFeatureRequest, QgsProject, QgsValueMapFieldFormatter&#10;from qgis.PyQt.QtWidgets import QInputDialog&#10;from qgis.utils import iface&#10;&#10;WORDS: dict[str, str] = {}  # in the review's language&#10;WAITING = &quot;&quot;  # expression: the rows that wait for a decision&#10;CONTEXT, CLOSEST = 3, 500  # a signal fills a third of the canvas, at 1:500 at the most&#10;&#10;&#10;def decide(layer: Any, fid: int, status: str, reason: Any = None) -&gt; None:&#10;    &quot;&quot;&quot;Write a decision and go on; saved at once, unless the reviewer is editing the layer herself.&quot;&quot;&quot;&#10;    own = not layer.isEditable() and layer.startEditing()&#10;    fields = layer.fields()&#10;    layer.beginEditCommand(WORDS[&quot;review&quot;])&#10;    layer.changeAttributeValues(&#10;        fid, {fields.indexOf(&quot;status&quot;): status, fields.indexOf(&quot;reject_reason&quot;): reason}&#10;    )&#10;    layer.endEditCommand()&#10;    if own and not layer.commitChanges():&#10;        tell(&quot;; &quot;.join(layer.commitErrors()))&#10;        return  # the decision stays in the layer's edits: saving again is enough&#10;    go_on(layer, fid)&#10;&#10;&#10;def reject(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Ask for the reason, then reject; nothing is written where the question is cancelled.&quot;&quot;&quot;&#10;    setup = layer.editorWidgetSetup(layer.fields().indexOf(&quot;reject_reason&quot;))&#10;    reasons = {words: code for choice in setup.config()[&quot;map&quot;] for words, code in choice.items()}&#10;    parent = iface.mainWindow() if iface else None&#10;    words, sure = QInputDialog.getItem(parent, WORDS[&quot;review&quot;], WORDS[&quot;why&quot;], list(reasons), 0, False)&#10;    if sure:&#10;        unknown = reasons[words] == QgsValueMapFieldFormatter.NULL_VALUE&#10;        decide(layer, fid, &quot;rejected&quot;, None if unknown else reasons[words])&#10;&#10;&#10;def go_on(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Select and show the signal that waits after *fid*, by priority; after the last comes the first.&quot;&quot;&quot;&#10;    request = QgsFeatureRequest().setFilterExpression(f&quot;({WAITING}) OR $id = {fid}&quot;)&#10;    request.setSubsetOfAttributes([&quot;priority&quot;], layer.fields()).setFlags(QgsFeatureRequest.NoGeometry)&#10;    request.addOrderBy('&quot;priority&quot;', False, False)&#10;    request.addOrderBy(&quot;$id&quot;)&#10;    fids = [row.id() for row in layer.getFeatures(request)]&#10;    at = fids.index(fid) if fid in fids else -1&#10;    following = fids[at + 1 :] + fids[: max(at, 0)]&#10;    layer.selectByIds(following[:1])&#10;    if not following:&#10;        tell(WORDS[&quot;done&quot;])&#10;    elif iface:&#10;        canvas = iface.mapCanvas()&#10;        box = layer.getFeature(following[0]).geometry().boundingBox()&#10;        box.scale(CONTEXT)&#10;        canvas.setExtent(canvas.mapSettings().layerToMapCoordinates(layer, box))&#10;        if canvas.scale() &lt; CLOSEST:&#10;            canvas.zoomScale(CLOSEST)&#10;        canvas.refresh()&#10;        canvas.flashFeatureIds(layer, following[:1])&#10;&#10;&#10;def copy_suggestion(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Put the outline that is suggested for the signal on the clipboard: Ctrl+V in the map's layer.&quot;&quot;&quot;&#10;    key = layer.getFeature(fid)[&quot;discrepancy_id&quot;]&#10;    layers = QgsProject.instance().mapLayers().values()&#10;    for outlines in [each for each in layers if holds_suggestions(each)]:&#10;        outlines.selectByExpression(f&quot;\&quot;discrepancy_id\&quot; = '{key}'&quot;)&#10;        if outlines.selectedFeatureCount():&#10;            iface.copySelectionToClipboard(outlines)&#10;            tell(WORDS[&quot;copied&quot;], Qgis.Success)&#10;            return&#10;    tell(WORDS[&quot;no_suggestion&quot;])&#10;&#10;&#10;def holds_suggestions(layer: Any) -&gt; bool:&#10;    &quot;&quot;&quot;Return whether a layer shows the table of suggestions, in a GeoPackage or in PostGIS.&quot;&quot;&quot;&#10;    if layer.providerType() == &quot;postgres&quot;:&#10;        return bool(QgsDataSourceUri(layer.source()).table() == &quot;suggestion&quot;)&#10;    return &quot;layername=suggestion&quot; in layer.source().split(&quot;|&quot;)&#10;&#10;&#10;def tell(text: str, level: Any = Qgis.Warning) -&gt; None:&#10;    &quot;&quot;&quot;Say it in the message bar, where there is one.&quot;&quot;&quot;&#10;    if iface:&#10;        iface.messageBar().pushMessage(WORDS[&quot;review&quot;], text, level, 6)&#10;&#10;WORDS.update({'confirm': 'Bekräfta', 'reject': 'Avvisa …', 'unclear': 'Oklar', 'next': 'Nästa', 'suggestion': 'Kopiera förslag', 'review': 'Granskning', 'why': 'Varför avvisas den?', 'done': 'Inget kvar att granska.', 'copied': 'Förslaget ligger i urklipp: klistra in det (Ctrl+V) i kartans lager.', 'no_suggestion': 'Avvikelsen har inget förslag.'})&#10;WAITING = '(&quot;status&quot; = \'open\' OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)) AND &quot;lifecycle&quot; &lt;&gt; \'gone\' AND &quot;policy_group&quot; IS NULL AND &quot;class&quot; NOT IN (\'below_min\', \'not_assessable\', \'confirmed\')'&#10;decide(QgsProject.instance().mapLayer('[% @layer_id %]'), [% $id %], 'unclear')&#10;">
   <actionScope id="Canvas" />
   <actionScope id="Feature" />
  </actionsetting>
  <actionsetting id="{9d515fe8-8400-59ab-9d95-0c4c72a4669e}" type="1" name="Nästa" shortTitle="Nästa" icon="" capture="0" isEnabledOnlyWhenEditable="0" notificationMessage="" action="&quot;&quot;&quot;What the buttons of the review do. This text goes into the style and runs in QGIS's Python (3.9 and later).&#10;&#10;It knows nothing of geoai; `actions` adds the words, the rows that wait and the call.&#10;&quot;&quot;&quot;&#10;&#10;from typing import Any&#10;&#10;from qgis.core import Qgis, QgsDataSourceUri, QgsFeatureRequest, QgsProject, QgsValueMapFieldFormatter&#10;from qgis.PyQt.QtWidgets import QInputDialog&#10;from qgis.utils import iface&#10;&#10;WORDS: dict[str, str] = {}  # in the review's language&#10;WAITING = &quot;&quot;  # expression: the rows that wait for a decision&#10;CONTEXT, CLOSEST = 3, 500  # a signal fills a third of the canvas, at 1:500 at the most&#10;&#10;&#10;def decide(layer: Any, fid: int, status: str, reason: Any = None) -&gt; None:&#10;    &quot;&quot;&quot;Write a decision and go on; saved at once, unless the reviewer is editing the layer herself.&quot;&quot;&quot;&#10;    own = not layer.isEditable() and layer.startEditing()&#10;    fields = layer.fields()&#10;    layer.beginEditCommand(WORDS[&quot;review&quot;])&#10;    layer.changeAttributeValues(&#10;        fid, {fields.indexOf(&quot;status&quot;): status, fields.indexOf(&quot;reject_reason&quot;): reason}&#10;    )&#10;    layer.endEditCommand()&#10;    if own and not layer.commitChanges():&#10;        tell(&quot;; &quot;.join(layer.commitErrors()))&#10;        return  # the decision stays in the layer's edits: saving again is enough&#10;    go_on(layer, fid)&#10;&#10;&#10;def reject(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Ask for the reason, then reject; nothing is written where the question is cancelled.&quot;&quot;&quot;&#10;    setup = layer.editorWidgetSetup(layer.fields().indexOf(&quot;reject_reason&quot;))&#10;    reasons = {words: code for choice in setup.config()[&quot;map&quot;] for words, code in choice.items()}&#10;    parent = iface.mainWindow() if iface else None&#10;    words, sure = QInputDialog.getItem(parent, WORDS[&quot;review&quot;], WORDS[&quot;why&quot;], list(reasons), 0, False)&#10;    if sure:&#10;        unknown = reasons[words] == QgsValueMapFieldFormatter.NULL_VALUE&#10;        decide(layer, fid, &quot;rejected&quot;, None if unknown else reasons[words])&#10;&#10;&#10;def go_on(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Select and show the signal that waits after *fid*, by priority; after the last comes the first.&quot;&quot;&quot;&#10;    request = QgsFeatureRequest().setFilterExpression(f&quot;({WAITING}) OR $id = {fid}&quot;)&#10;    request.setSubsetOfAttributes([&quot;priority&quot;], layer.fields()).setFlags(QgsFeatureRequest.NoGeometry)&#10;    request.addOrderBy('&quot;priority&quot;', False, False)&#10;    request.addOrderBy(&quot;$id&quot;)&#10;    fids = [row.id() for row in layer.getFeatures(request)]&#10;    at = fids.index(fid) if fid in fids else -1&#10;    following = fids[at + 1 :] + fids[: max(at, 0)]&#10;    layer.selectByIds(following[:1])&#10;    if not following:&#10;        tell(WORDS[&quot;done&quot;])&#10;    elif iface:&#10;        canvas = iface.mapCanvas()&#10;        box = layer.getFeature(following[0]).geometry().boundingBox()&#10;        box.scale(CONTEXT)&#10;        canvas.setExtent(canvas.mapSettings().layerToMapCoordinates(layer, box))&#10;        if canvas.scale() &lt; CLOSEST:&#10;            canvas.zoomScale(CLOSEST)&#10;        canvas.refresh()&#10;        canvas.flashFeatureIds(layer, following[:1])&#10;&#10;&#10;def copy_suggestion(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Put the outline that is suggested for the signal on the clipboard: Ctrl+V in the map's layer.&quot;&quot;&quot;&#10;    key = layer.getFeature(fid)[&quot;discrepancy_id&quot;]&#10;    layers = QgsProject.instance().mapLayers().values()&#10;    for outlines in [each for each in layers if holds_suggestions(each)]:&#10;        outlines.selectByExpression(f&quot;\&quot;discrepancy_id\&quot; = '{key}'&quot;)&#10;        if outlines.selectedFeatureCount():&#10;            iface.copySelectionToClipboard(outlines)&#10;            tell(WORDS[&quot;copied&quot;], Qgis.Success)&#10;            return&#10;    tell(WORDS[&quot;no_suggestion&quot;])&#10;&#10;&#10;def holds_suggestions(layer: Any) -&gt; bool:&#10;    &quot;&quot;&quot;Return whether a layer shows the table of suggestions, in a GeoPackage or in PostGIS.&quot;&quot;&quot;&#10;    if layer.providerType() == &quot;postgres&quot;:&#10;        return bool(QgsDataSourceUri(layer.source()).table() == &quot;suggestion&quot;)&#10;    return &quot;layername=suggestion&quot; in layer.source().split(&quot;|&quot;)&#10;&#10;&#10;def tell(text: str, level: Any = Qgis.Warning) -&gt; None:&#10;    &quot;&quot;&quot;Say it in the message bar, where there is one.&quot;&quot;&quot;&#10;    if iface:&#10;        iface.messageBar().pushMessage(WORDS[&quot;review&quot;], text, level, 6)&#10;&#10;WORDS.update({'confirm': 'Bekräfta', 'reject': 'Avvisa …', 'unclear': 'Oklar', 'next': 'Nästa', 'suggestion': 'Kopiera förslag', 'review': 'Granskning', 'why': 'Varför avvisas den?', 'done': 'Inget kvar att granska.', 'copied': 'Förslaget ligger i urklipp: klistra in det (Ctrl+V) i kartans lager.', 'no_suggestion': 'Avvikelsen har inget förslag.'})&#10;WAITING = '(&quot;status&quot; = \'open\' OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)) AND &quot;lifecycle&quot; &lt;&gt; \'gone\' AND &quot;policy_group&quot; IS NULL AND &quot;class&quot; NOT IN (\'below_min\', \'not_assessable\', \'confirmed\')'&#10;go_on(QgsProject.instance().mapLayer('[% @layer_id %]'), [% $id %])&#10;">
   <actionScope id="Canvas" />
   <actionScope id="Feature" />
  </actionsetting>
  <actionsetting id="{4fe10c6a-a895-5c0f-bbed-e6183ec94858}" type="1" name="Kopiera förslag" shortTitle="Kopiera förslag" icon="" capture="0" isEnabledOnlyWhenEditable="0" notificationMessage="" action="&quot;&quot;&quot;What the buttons of the review do. This text goes into the style and runs in QGIS's Python (3.9 and later).&#10;&#10;It knows nothing of geoai; `actions` adds the words, the rows that wait and the call.&#10;&quot;&quot;&quot;&#10;&#10;from typing import Any&#10;&#10;from qgis.core import Qgis, QgsDataSourceUri, QgsFeatureRequest, QgsProject, QgsValueMapFieldFormatter&#10;from qgis.PyQt.QtWidgets import QInputDialog&#10;from qgis.utils import iface&#10;&#10;WORDS: dict[str, str] = {}  # in the review's language&#10;WAITING = &quot;&quot;  # expression: the rows that wait for a decision&#10;CONTEXT, CLOSEST = 3, 500  # a signal fills a third of the canvas, at 1:500 at the most&#10;&#10;&#10;def decide(layer: Any, fid: int, status: str, reason: Any = None) -&gt; None:&#10;    &quot;&quot;&quot;Write a decision and go on; saved at once, unless the reviewer is editing the layer herself.&quot;&quot;&quot;&#10;    own = not layer.isEditable() and layer.startEditing()&#10;    fields = layer.fields()&#10;    layer.beginEditCommand(WORDS[&quot;review&quot;])&#10;    layer.changeAttributeValues(&#10;        fid, {fields.indexOf(&quot;status&quot;): status, fields.indexOf(&quot;reject_reason&quot;): reason}&#10;    )&#10;    layer.endEditCommand()&#10;    if own and not layer.commitChanges():&#10;        tell(&quot;; &quot;.join(layer.commitErrors()))&#10;        return  # the decision stays in the layer's edits: saving again is enough&#10;    go_on(layer, fid)&#10;&#10;&#10;def reject(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Ask for the reason, then reject; nothing is written where the question is cancelled.&quot;&quot;&quot;&#10;    setup = layer.editorWidgetSetup(layer.fields().indexOf(&quot;reject_reason&quot;))&#10;    reasons = {words: code for choice in setup.config()[&quot;map&quot;] for words, code in choice.items()}&#10;    parent = iface.mainWindow() if iface else None&#10;    words, sure = QInputDialog.getItem(parent, WORDS[&quot;review&quot;], WORDS[&quot;why&quot;], list(reasons), 0, False)&#10;    if sure:&#10;        unknown = reasons[words] == QgsValueMapFieldFormatter.NULL_VALUE&#10;        decide(layer, fid, &quot;rejected&quot;, None if unknown else reasons[words])&#10;&#10;&#10;def go_on(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Select and show the signal that waits after *fid*, by priority; after the last comes the first.&quot;&quot;&quot;&#10;    request = QgsFeatureRequest().setFilterExpression(f&quot;({WAITING}) OR $id = {fid}&quot;)&#10;    request.setSubsetOfAttributes([&quot;priority&quot;], layer.fields()).setFlags(QgsFeatureRequest.NoGeometry)&#10;    request.addOrderBy('&quot;priority&quot;', False, False)&#10;    request.addOrderBy(&quot;$id&quot;)&#10;    fids = [row.id() for row in layer.getFeatures(request)]&#10;    at = fids.index(fid) if fid in fids else -1&#10;    following = fids[at + 1 :] + fids[: max(at, 0)]&#10;    layer.selectByIds(following[:1])&#10;    if not following:&#10;        tell(WORDS[&quot;done&quot;])&#10;    elif iface:&#10;        canvas = iface.mapCanvas()&#10;        box = layer.getFeature(following[0]).geometry().boundingBox()&#10;        box.scale(CONTEXT)&#10;        canvas.setExtent(canvas.mapSettings().layerToMapCoordinates(layer, box))&#10;        if canvas.scale() &lt; CLOSEST:&#10;            canvas.zoomScale(CLOSEST)&#10;        canvas.refresh()&#10;        canvas.flashFeatureIds(layer, following[:1])&#10;&#10;&#10;def copy_suggestion(layer: Any, fid: int) -&gt; None:&#10;    &quot;&quot;&quot;Put the outline that is suggested for the signal on the clipboard: Ctrl+V in the map's layer.&quot;&quot;&quot;&#10;    key = layer.getFeature(fid)[&quot;discrepancy_id&quot;]&#10;    layers = QgsProject.instance().mapLayers().values()&#10;    for outlines in [each for each in layers if holds_suggestions(each)]:&#10;        outlines.selectByExpression(f&quot;\&quot;discrepancy_id\&quot; = '{key}'&quot;)&#10;        if outlines.selectedFeatureCount():&#10;            iface.copySelectionToClipboard(outlines)&#10;            tell(WORDS[&quot;copied&quot;], Qgis.Success)&#10;            return&#10;    tell(WORDS[&quot;no_suggestion&quot;])&#10;&#10;&#10;def holds_suggestions(layer: Any) -&gt; bool:&#10;    &quot;&quot;&quot;Return whether a layer shows the table of suggestions, in a GeoPackage or in PostGIS.&quot;&quot;&quot;&#10;    if layer.providerType() == &quot;postgres&quot;:&#10;        return bool(QgsDataSourceUri(layer.source()).table() == &quot;suggestion&quot;)&#10;    return &quot;layername=suggestion&quot; in layer.source().split(&quot;|&quot;)&#10;&#10;&#10;def tell(text: str, level: Any = Qgis.Warning) -&gt; None:&#10;    &quot;&quot;&quot;Say it in the message bar, where there is one.&quot;&quot;&quot;&#10;    if iface:&#10;        iface.messageBar().pushMessage(WORDS[&quot;review&quot;], text, level, 6)&#10;&#10;WORDS.update({'confirm': 'Bekräfta', 'reject': 'Avvisa …', 'unclear': 'Oklar', 'next': 'Nästa', 'suggestion': 'Kopiera förslag', 'review': 'Granskning', 'why': 'Varför avvisas den?', 'done': 'Inget kvar att granska.', 'copied': 'Förslaget ligger i urklipp: klistra in det (Ctrl+V) i kartans lager.', 'no_suggestion': 'Avvikelsen har inget förslag.'})&#10;WAITING = '(&quot;status&quot; = \'open\' OR coalesce(&quot;reopened_at&quot; &gt; &quot;reviewed_at&quot;, &quot;reopened_at&quot; IS NOT NULL)) AND &quot;lifecycle&quot; &lt;&gt; \'gone\' AND &quot;policy_group&quot; IS NULL AND &quot;class&quot; NOT IN (\'below_min\', \'not_assessable\', \'confirmed\')'&#10;copy_suggestion(QgsProject.instance().mapLayer('[% @layer_id %]'), [% $id %])&#10;">
   <actionScope id="Canvas" />
   <actionScope id="Feature" />
  </actionsetting>
 </attributeactions>
 <mapTip>&lt;table cellpadding="2"&gt;&lt;tr&gt;&lt;td&gt;&lt;img height="150" src="data:image/jpeg;base64,[% to_base64("chip") %]"/&gt;&lt;/td&gt;&lt;/tr&gt;&lt;tr&gt;&lt;td&gt;&lt;b&gt;[% represent_value("class") %]&lt;/b&gt;&lt;br/&gt;[% "reason" %]&lt;br/&gt;[% represent_value("status") %]&lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;</mapTip>
 <previewExpression>represent_value("class") || ' – ' || coalesce(round("length_m") || ' m', round($area) || ' m²') || ' – ' || represent_value("status")</previewExpression>
</qgis>